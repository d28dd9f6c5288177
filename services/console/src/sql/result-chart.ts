import type { Series } from "../shown/chart-lines.ts";
import { valueText } from "../api/json-texts.ts";
import type { Result } from "./query-answer.ts";
import { isNumber, isText, isUtcTime } from "./column-types.ts";

/** Columns of one unit, drawn as lines of one chart. */
export interface ChartChoice {
  readonly name: string;
  readonly unit: string;
  /** Places of the columns. */
  readonly columns: readonly number[];
}

/** How a result can be drawn over time. */
export interface Chartable {
  readonly choices: readonly ChartChoice[];
  readonly series: (choice: ChartChoice) => readonly Series[];
}

/** More would be slow, and narrower than a pixel. */
const MOST_ROWS = 2_000;

/** Null where it cannot be: without a column of UTC times, without a number, with less than two times, or with too many rows. */
export function chartable({
  columns,
  rows,
}: Pick<Result, "columns" | "rows">): Chartable | null {
  const placesOf = (is: (type: string) => boolean): readonly number[] =>
    columns.flatMap(({ type }, at) => (is(type) ? [at] : []));
  const [time] = placesOf(isUtcTime);
  const numbers = placesOf(isNumber);
  if (time === undefined || numbers.length === 0 || rows.length > MOST_ROWS)
    return null;
  const points = rows.map((row) => ({ row, at: timeOf(row[time]) }));
  const times = new Set(points.map(({ at }) => at));
  if (times.size < 2) return null;

  // Several rows of one time: each has names, by which they become lines of their own.
  const names = times.size < rows.length ? placesOf(isText) : [];
  const lines = Map.groupBy(points, ({ row }) =>
    names.map((at) => valueText(row[at] ?? "null") ?? "NULL").join(" · "),
  );
  return {
    choices: choicesOf(columns, numbers, names.length > 0),
    series: ({ columns: chosen }) =>
      [...lines].flatMap(([line, of]) =>
        chosen.map((place) => ({
          name: line || (columns[place]?.name ?? ""),
          points: of.flatMap(({ row, at }) =>
            at === null ? [] : [{ at, value: numberOf(row[place]) }],
          ),
        })),
      ),
  };
}

/** All of one unit together, and each alone. */
function choicesOf(
  columns: Result["columns"],
  numbers: readonly number[],
  hasNames: boolean,
): readonly ChartChoice[] {
  const nameOf = (at: number): string => columns[at]?.name ?? "";
  const together = [...Map.groupBy(numbers, (at) => unitOf(nameOf(at)))]
    .filter(([, of]) => of.length > 1 && !hasNames)
    .map(([unit, of]) => ({ unit, columns: of }));
  const alone = numbers.map((at) => ({
    unit: unitOf(nameOf(at)),
    columns: [at],
  }));
  return [...together, ...alone].map((choice) => ({
    ...choice,
    name: choice.columns.map(nameOf).join(", "),
  }));
}

/** Names end in their unit. */
function unitOf(name: string): string {
  if (name.endsWith("_ms")) return "ms";
  return name.endsWith("_pct") ? "%" : "";
}

/** `"2026-11-30 05:04:52.123"`, or a date alone. */
function timeOf(json = "null"): number | null {
  const text = valueText(json) ?? "";
  const at = Date.parse(text.length > 10 ? `${text.replace(" ", "T")}Z` : text);
  return Number.isNaN(at) ? null : at;
}

function numberOf(json = "null"): number | null {
  const text = valueText(json);
  const value = Number(text);
  return text === null || !Number.isFinite(value) ? null : value;
}
