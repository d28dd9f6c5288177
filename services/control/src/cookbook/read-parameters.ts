import type { EpochMs, Problem } from "@postrider/core";
import { readTime } from "../http/read-time.ts";
import type { Parameter, SavedQuery } from "./saved-query.ts";

/** What ClickHouse gets beside the text. A time is a `Date`, which the client sends so that no time zone matters. */
export type QueryValues = Readonly<
  Record<string, string | number | Date | readonly string[]>
>;

export type ReadParameters =
  | { readonly kind: "read"; readonly values: QueryValues }
  /** Every problem at once. */
  | { readonly kind: "wrong"; readonly problems: readonly Problem[] };

type Value = QueryValues[string];
type Judged = { readonly value: Value } | Pick<Problem, "rule" | "message">;

/** Reads what a caller gave (from a query string, so an array where a name came twice), and fills in the defaults. `now` is what `now` and `6h` are counted from. */
export function readParameters(
  query: SavedQuery,
  given: Readonly<Record<string, unknown>>,
  now: EpochMs,
): ReadParameters {
  const names = Object.keys(query.parameters);
  const problems: Problem[] = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((field) => ({
      field,
      rule: "unknown",
      message: `is not a parameter of ${query.name}; it has ${names.join(", ")}`,
    }));
  const values: Record<string, Value> = {};
  for (const [name, parameter] of Object.entries(query.parameters)) {
    const judged = judge(parameter, given[name], now);
    if ("value" in judged) values[name] = judged.value;
    else problems.push({ field: name, ...judged });
  }
  if (problems.length === 0) problems.push(...orderOf(values));
  return problems.length === 0
    ? { kind: "read", values }
    : { kind: "wrong", problems };
}

function judge(parameter: Parameter, given: unknown, now: EpochMs): Judged {
  const text = given ?? parameter.default;
  if (Array.isArray(text))
    return { rule: "once", message: "must be given once" };
  if (typeof text !== "string" || (parameter.default === null && text === ""))
    return {
      rule: "required",
      message: `is required: ${parameter.description}`,
    };
  switch (parameter.type) {
    case "String":
      return text.length <= MAX_TEXT
        ? { value: text }
        : { rule: "max", message: `must be at most ${MAX_TEXT} characters` };
    case "DateTime64(3)":
      return readTime(text, now);
    case "UInt32":
      return numberOf(text, parameter, /^\d{1,10}$/, "a whole number");
    case "Float64":
      return numberOf(text, parameter, /^\d+(\.\d+)?$/, "a number");
  }
}

/** The longest id that a door accepts is shorter. */
const MAX_TEXT = 256;

function numberOf(
  text: string,
  { range: [least, greatest] = [0, Number.MAX_SAFE_INTEGER] }: Parameter,
  form: RegExp,
  what: string,
): Judged {
  if (!form.test(text)) return { rule: "number", message: `must be ${what}` };
  const value = Number(text);
  if (value < least)
    return { rule: "min", message: `must be at least ${least}` };
  if (value > greatest)
    return { rule: "max", message: `must be at most ${greatest}` };
  return { value };
}

function orderOf({ since, until }: Readonly<Record<string, Value>>): Problem[] {
  const isWrong =
    since instanceof Date && until instanceof Date && since >= until;
  return isWrong
    ? [{ field: "since", rule: "before", message: "must be before until" }]
    : [];
}
