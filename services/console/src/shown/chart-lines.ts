/** What a chart draws, and how: without a browser. */
import { placeOn, type Axis } from "./chart-scale.ts";

/** One line of a chart. Its name may be a text of others. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Where a colour is to mean something; the name says it, too. */
  readonly tone?: "ok" | "bad";
}

export interface Point {
  readonly at: number;
  /** Null: there is none, and the line has a gap. */
  readonly value: number | null;
}

/** All times of all series, oldest first. */
export function timesOf(series: readonly Series[]): readonly number[] {
  const times = series.flatMap(({ points }) => points.map(({ at }) => at));
  return [...new Set(times)].toSorted((one, other) => one - other);
}

/** The series at all those times; null where it has no point. */
export function pointsAt(
  { points }: Series,
  times: readonly number[],
): readonly Point[] {
  const values = new Map(points.map(({ at, value }) => [at, value]));
  return times.map((at) => ({ at, value: values.get(at) ?? null }));
}

export function valuesOf(series: readonly Series[]): readonly number[] {
  return series.flatMap(({ points }) =>
    points.flatMap(({ value }) => value ?? []),
  );
}

/** Only those between two gaps: no line leads to them. */
export function lonePoints(points: readonly Point[]): readonly Point[] {
  return points.map(({ at, value }, n) => {
    const isAlone =
      (points[n - 1]?.value ?? null) === null &&
      (points[n + 1]?.value ?? null) === null;
    return { at, value: isAlone ? value : null };
  });
}

/** A path through the points, in a square of 1000 from the left and above. A point between two gaps is a dot. */
export function linePath(
  points: readonly Point[],
  { along, up }: { readonly along: Axis; readonly up: Axis },
): string {
  let isDrawing = false;
  let path = "";
  for (const { at, value } of points) {
    if (value !== null) {
      const x = thousandths(placeOn(along, at));
      const y = thousandths(1 - placeOn(up, value));
      // A line of no length is shown by its round end.
      path += isDrawing ? `L${x} ${y}` : `M${x} ${y}h0`;
    }
    isDrawing = value !== null;
  }
  return path;
}

export function thousandths(place: number): number {
  return Math.round(place * 10_000) / 10;
}
