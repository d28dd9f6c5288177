import type { SavedQuery } from "../api/answers-queries.ts";

/** A saved query's SQL with its values written into it, to be changed and run as one's own. Texts are quoted, so that no value becomes SQL. */
export function withLiterals(
  { sql, parameters }: Pick<SavedQuery, "sql" | "parameters">,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return sql.replaceAll(
    /\{(\w+):([^{}]+)\}/g,
    (placeholder, name: string, type: string) => {
      const parameter = parameters.find((one) => one.name === name);
      if (parameter === undefined) return placeholder;
      return literalOf(values[name] || (parameter.default ?? ""), type);
    },
  );
}

function literalOf(value: string, type: string): string {
  if (type.startsWith("DateTime64")) return timeLiteral(value);
  const isNumber = type !== "String" && /^\d+(\.\d+)?$/.test(value);
  return isNumber ? value : quoted(value);
}

const UNITS: Readonly<Record<string, string>> = {
  ms: "Milliseconds",
  s: "Seconds",
  m: "Minutes",
  h: "Hours",
  d: "Days",
};

/** As the API reads a time: `now`, `6h` (that long ago), epoch milliseconds or RFC 3339. A relative one stays relative. */
function timeLiteral(value: string): string {
  const now = "now64(3, 'UTC')";
  if (value === "now") return now;
  const [, amount, unit = ""] = /^(\d+)(ms|s|m|h|d)$/.exec(value) ?? [];
  if (amount !== undefined) return `subtract${UNITS[unit]}(${now}, ${amount})`;
  if (/^\d{12,13}$/.test(value))
    return `fromUnixTimestamp64Milli(${value}, 'UTC')`;
  return `parseDateTime64BestEffort(${quoted(value)}, 3, 'UTC')`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
