/** What of control's answers charts and tables show, without a browser. */
import type { QueryAnswer } from "../api/answers-queries.ts";
import type { Series, SeriesPoint } from "../api/answers-series.ts";
import type { Series as Line } from "./chart-lines.ts";
import { rowsOf } from "./query-rows.ts";

/** In each step without attempts there were none: that is 0, and no gap. */
export function attemptLines(series: Series): readonly Line[] {
  return [
    line(series, "Delivered", (point) => point?.delivered ?? 0, "ok"),
    line(series, "Failed", (point) => failedOf(point), "bad"),
  ];
}

export function successLines(series: Series): readonly Line[] {
  return [
    line(series, "Success", (point) =>
      point === undefined ? null : 100 * point.successShare,
    ),
  ];
}

export function durationLines(series: Series): readonly Line[] {
  return [
    line(series, "p50", (point) => point?.p50Ms ?? null),
    line(series, "p95", (point) => point?.p95Ms ?? null),
    line(series, "p99", (point) => point?.p99Ms ?? null),
  ];
}

function failedOf(point: SeriesPoint | undefined): number {
  return point === undefined ? 0 : point.attempts - point.delivered;
}

/** A point for each step of the time that was asked for. Without any attempt there are none. */
function line(
  { since, until, stepMs, groups: [all] }: Series,
  name: string,
  valueOf: (point: SeriesPoint | undefined) => number | null,
  tone?: Line["tone"],
): Line {
  if (all === undefined) return { name, points: [] };
  const found = new Map(
    all.points.map((point) => [Date.parse(point.at), point]),
  );
  const points = [];
  const first = Math.floor(Date.parse(since) / stepMs) * stepMs;
  for (let at = first; at < Date.parse(until); at += stepMs)
    points.push({ at, value: valueOf(found.get(at)) });
  return { name, points, ...(tone && { tone }) };
}

/** Of how many attempts which share succeeded, in %; never 100 where one failed. Null without attempts. */
export function successOf({
  groups: [all],
}: Series): { readonly attempts: number; readonly pct: number } | null {
  if (all === undefined || all.attempts === 0) return null;
  const { attempts, delivered } = all;
  return { attempts, pct: Math.floor((10_000 * delivered) / attempts) / 100 };
}

/** Sums the column `of` by what is in the column `by`, the largest sum first. */
export function sumsBy(
  answer: Pick<QueryAnswer, "columns" | "rows">,
  { by, of }: { readonly by: string; readonly of: string },
): readonly (readonly [key: string, sum: number])[] {
  const sums = new Map<string, number>();
  for (const record of rowsOf<Readonly<Record<string, unknown>>>(answer)) {
    const key = String(record[by]);
    sums.set(key, (sums.get(key) ?? 0) + Number(record[of]));
  }
  return [...sums].toSorted(([, one], [, other]) => other - one);
}
