/** Milliseconds since 1970-01-01T00:00:00Z, as in every `…At` field of code and Avro. */
export type EpochMs = number;

/** Milliseconds of a clock that never goes back. Comparable only within one process. */
export type MonotonicMs = number;

/** The last accepted time: the end of 2199. Later times do not fit every ClickHouse column that stores them. */
export const LATEST_TIME: EpochMs = Date.UTC(2200, 0, 1) - 1;

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads a time: RFC 3339 text, or epoch milliseconds as a number. `undefined` for anything else, and for times outside
 * 1970 to 2199. Digits below a millisecond are cut off.
 */
export function parseTime(value: unknown): EpochMs | undefined {
  if (typeof value === "number")
    return Number.isInteger(value) ? within(value) : undefined;
  const match = typeof value === "string" ? RFC_3339.exec(value) : null;
  if (match === null) return undefined;

  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day] = [part(1), part(2), part(3)];
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [offsetHour, offsetMinute] = [part(9), part(10)];
  const isCalendarDay =
    month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  // 60 is a leap second; it counts as the first second of the next minute
  if (!isCalendarDay || hour > 23 || minute > 59 || second > 60)
    return undefined;
  if (offsetHour > 23 || offsetMinute > 59) return undefined;

  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === "-" ? -1 : 1);
  return within(
    Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) -
      offset * 60_000,
  );
}

/** RFC 3339 in UTC with milliseconds: the form of times in APIs and JSON. */
export function formatTime(at: EpochMs): string {
  return new Date(at).toISOString();
}

function within(at: EpochMs): EpochMs | undefined {
  return at >= 0 && at <= LATEST_TIME ? at : undefined;
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
