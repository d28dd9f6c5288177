/** A plan for people, as a diff: field by field, secrets as `[redacted]`. */
import { counted } from "@postrider/core";
import { visible, type Terminal } from "../terminal.ts";
import type { Step } from "./plan.ts";

type Painter = Pick<Terminal, "paint">;

const MARKS = {
  create: ["+", "green"],
  change: ["~", "yellow"],
  unchanged: ["=", "dim"],
  delete: ["-", "red"],
} as const;

export function planLines(steps: readonly Step[], terminal: Painter): string {
  return steps.map((step) => stepLines(step, terminal)).join("\n");
}

export function stepLines(step: Step, { paint }: Painter): string {
  const [mark, style] = MARKS[step.kind];
  const title = [mark, visible(titleOf(step)), idOf(step)]
    .filter(Boolean)
    .join(" ");
  return [paint(style, title), ...fieldsOf(step).map(visible)].join("\n");
}

/** `acme/billing`. */
export function titleOf(step: Step): string {
  const { tenantId, externalId } =
    step.kind === "delete" ? step.stored : step.wanted;
  return `${tenantId}/${externalId}`;
}

function idOf(step: Step): string {
  return step.kind === "create"
    ? ""
    : ` ${step.stored.id}  version ${step.stored.version}`;
}

function fieldsOf(step: Step): string[] {
  switch (step.kind) {
    case "create":
      return step.changes.map(({ field, to }) => `    ${field}  ${textOf(to)}`);
    case "change":
      return step.changes.map(
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

/** `1 to create, 2 to change, 3 unchanged`. */
export function summaryOf(steps: readonly Step[]): string {
  const count = (kind: Step["kind"]): number =>
    steps.filter((step) => step.kind === kind).length;
  return [
    `${counted(steps.length, "endpoint")}:`,
    [
      `${count("create")} to create`,
      `${count("change")} to change`,
      ...(count("delete") === 0 ? [] : [`${count("delete")} to delete`]),
      `${count("unchanged")} unchanged`,
    ].join(", "),
  ].join(" ");
}
