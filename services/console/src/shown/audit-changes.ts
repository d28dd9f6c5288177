import type { AuditEntry } from "../api/answers-system.ts";
import { fieldTextsOf, valueText } from "../api/json-texts.ts";

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

/** From the JSON of an entry's `detail`: `{"timeoutMs":{"from":15000,"to":5000}}`, or plain values by name. */
export function changesOf(detail: string | null): readonly Change[] {
  return [...(fieldTextsOf(detail ?? "null") ?? [])].map(([field, value]) => {
    const fields = fieldTextsOf(value);
    if (!fields?.has("from") && !fields?.has("to"))
      return { field, before: null, after: valueText(value), more: null };
    const more = [...fields]
      .filter(([name]) => name !== "from" && name !== "to")
      .map(([name, each]) => `${name}: ${valueText(each)}`)
      .join("; ");
    return {
      field,
      before: valueText(fields.get("from") ?? "null"),
      after: valueText(fields.get("to") ?? "null"),
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
