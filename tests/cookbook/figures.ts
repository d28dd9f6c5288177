/** What answers are made of, as ClickHouse writes it. */
export type Cell = string | number | null;
export type Rows = readonly (readonly Cell[])[];

/** `2026-11-28 10:00:00.250` */
export function time(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}

/** `2026-11-28 10:00:00`, the start of the span of `ms` in which a time is. */
export function startOf(at: number, ms: number): string {
  return time(Math.floor(at / ms) * ms).slice(0, 19);
}

/** `2026-11-28` */
export function day(at: number): string {
  return time(at).slice(0, 10);
}

export function count<T>(from: readonly T[], is: (each: T) => boolean): number {
  return from.filter(is).length;
}

export function sum<T>(from: readonly T[], of: (each: T) => number): number {
  return from.reduce((total, each) => total + of(each), 0);
}

export function mean<T>(from: readonly T[], of: (each: T) => number): number {
  return sum(from, of) / from.length;
}

export function most<T>(from: readonly T[], of: (each: T) => number): number {
  return Math.max(...from.map(of));
}

export function least<T>(from: readonly T[], of: (each: T) => number): number {
  return Math.min(...from.map(of));
}

/** The last by time. */
export function newest<T>(from: readonly T[], at: (each: T) => number): T {
  return from.reduce((last, each) => (at(each) >= at(last) ? each : last));
}

export function kinds<T>(from: readonly T[], of: (each: T) => unknown): number {
  return new Set(from.map(of)).size;
}

/** One of the values: as many of them are smaller as the level says. */
export function quantile<T>(
  from: readonly T[],
  of: (each: T) => number,
  level: number,
): number {
  const sorted = from.map(of).toSorted((a, b) => a - b);
  return sorted[Math.floor(level * sorted.length)] ?? NaN;
}

/** Halves go to the even neighbour. */
export function round(value: number, digits = 0): number {
  const scaled = value * 10 ** digits;
  const half = Math.abs(scaled % 1) === 0.5;
  return (
    (half ? 2 * Math.round(scaled / 2) : Math.round(scaled)) / 10 ** digits
  );
}

export function pct(part: number, of: number, digits = 1): number {
  return round((100 * part) / of, digits);
}

/** The groups of those with the same key, which is the beginning of their row. */
export function grouped<T>(
  from: readonly T[],
  key: (each: T) => readonly Cell[],
  rest: (group: readonly T[]) => readonly Cell[],
): (readonly Cell[])[] {
  return [
    ...Map.groupBy(from, (each) => JSON.stringify(key(each))).values(),
  ].map((group) => [...key(group[0]!), ...rest(group)]);
}

/** Ordered by columns, the first of them first: 3 is the fourth column ascending, -3 descending (so column 0 cannot descend, and need not). Null comes last. */
export function ordered(rows: Rows, ...columns: readonly number[]): Rows {
  return rows.toSorted((a, b) => {
    for (const column of columns) {
      const [x, y] = [a[Math.abs(column)]!, b[Math.abs(column)]!];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      return x < y === column >= 0 ? -1 : 1;
    }
    return 0;
  });
}
