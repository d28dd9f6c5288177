import type { EpochMs } from "./time.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What clocks of machines differ by. */
const SKEW_MS = 5 * 60_000;

/**
 * What an event's `receivedAt` is, for a record with this timestamp that is routed at `now`: the timestamp, where it lies from
 * the start of the day before (UTC) to now. On a topic with CreateTime the timestamp is the publisher's: a backfill of old
 * events would otherwise be expired before its first attempt, spread over a partition of ClickHouse for each of its days, or
 * be deleted there at once by its TTL; one of future events would never expire. Route decides it once; the delivery, its
 * attempts and its dead letter carry it on, as it is part of their key.
 */
export function receivedAtOf(timestamp: EpochMs, now: EpochMs): EpochMs {
  const startOfYesterday = Math.floor(now / DAY_MS) * DAY_MS - DAY_MS;
  return notAfter(Math.max(timestamp, startOfYesterday), now);
}

/**
 * A time that cannot lie in the future: itself, or where it lies more than five minutes ahead the start of this hour. Not
 * `now`, so that a record that is routed twice nearly always gets the same time, which is part of a delivery's key; and
 * what a clock may be ahead by is left, for the same reason.
 */
export function notAfter(at: EpochMs, now: EpochMs): EpochMs {
  return at > now + SKEW_MS ? Math.floor(now / HOUR_MS) * HOUR_MS : at;
}
