/** A plan for people, as a diff: field by field, secrets as `[redacted]`. */
import { counted } from "@postrider/core";
import { visible, type Terminal } from "../terminal.ts";

type Painter = Pick<Terminal, "paint">;

export type StepKind = "create" | "change" | "unchanged" | "delete";

export interface Change {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** A step as it is shown. */
export interface ShownStep {
  readonly kind: StepKind;
  /** `acme/billing`. */
  readonly title: string;
  /** What there is, such as `version 3`; empty: nothing yet. */
  readonly stored: string;
  readonly changes: readonly Change[];
}

const MARKS = {
  create: ["+", "green"],
  change: ["~", "yellow"],
  unchanged: ["=", "dim"],
  delete: ["-", "red"],
} as const;

export function planLines(
  steps: readonly ShownStep[],
  terminal: Painter,
): string {
  return steps.map((step) => stepLines(step, terminal)).join("\n");
}

export function stepLines(step: ShownStep, { paint }: Painter): string {
  const { kind, title, stored } = step;
  const [mark, style] = MARKS[kind];
  const line = [mark, visible(title), stored && ` ${stored}`]
    .filter(Boolean)
    .join(" ");
  return [paint(style, line), ...fieldsOf(step).map(visible)].join("\n");
}

function fieldsOf({ kind, changes }: ShownStep): string[] {
  switch (kind) {
    case "create":
      return changes.map(({ field, to }) => `    ${field}  ${textOf(to)}`);
    case "change":
      return changes.map(
        ({ field, from, to }) =>
          `    ${field}  ${textOf(from)} → ${textOf(to)}`,
      );
    case "unchanged":
    case "delete":
      return [];
  }
}

function textOf(value: unknown): string {
  if (value === null || value === "") return "none";
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

/** `3 endpoints: 1 to create, 2 to change, 0 unchanged`. */
export function summaryOf(
  steps: readonly { readonly kind: StepKind }[],
  noun: string,
): string {
  const count = (kind: StepKind): number =>
    steps.filter((step) => step.kind === kind).length;
  return [
    `${counted(steps.length, noun)}:`,
    [
      `${count("create")} to create`,
      `${count("change")} to change`,
      ...(count("delete") === 0 ? [] : [`${count("delete")} to delete`]),
      `${count("unchanged")} unchanged`,
    ].join(", "),
  ].join(" ");
}
