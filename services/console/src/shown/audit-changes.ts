import type { AuditEntry } from "../api/answers-system.ts";

/** A field that an action has changed or named. */
export interface Change {
  readonly field: string;
  /** Null: it had no value. */
  readonly before: string | null;
  /** Null: it has none now. */
  readonly after: string | null;
  /** What else is said of it, such as the headers with another value. */
  readonly more: string | null;
}

/** From an entry's `detail`: `{"timeoutMs":{"from":15000,"to":5000}}`, or plain values by name. */
export function changesOf(detail: unknown): readonly Change[] {
  return Object.entries(fieldsOf(detail) ?? {}).map(([field, value]) => {
    const fields = fieldsOf(value) ?? {};
    if (!("from" in fields || "to" in fields))
      return { field, before: null, after: textOf(value), more: null };
    const { from, to, ...rest } = fields;
    const more = Object.entries(rest)
      .map(([name, each]) => `${name}: ${textOf(each)}`)
      .join("; ");
    return {
      field,
      before: textOf(from),
      after: textOf(to),
      more: more === "" ? null : more,
    };
  });
}

/** `Endpoint: secret rotated` */
export function actionWords({
  subject,
  action,
}: Pick<AuditEntry, "subject" | "action">): string {
  const words = subject.replaceAll("_", " ");
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}: ${action.replaceAll("_", " ")}`;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>) // any object has texts as keys
    : null;
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
