import type { EpochMs } from "./time.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far the clocks of two machines may differ: five minutes. */
const SKEW_MS = 5 * 60_000;

/**
 * An event's `receivedAt`: the timestamp of its record, but not before the start of yesterday (UTC) and not in the future
 * (see `notAfter`). `now` is when the record is routed.
 *
 * On a topic with CreateTime the publisher sets the timestamp, so it can be any time. Without the bounds, a backfill of old
 * events would expire before its first attempt; in ClickHouse it would create one partition for each of its days, or the
 * TTL would delete it at once. Events with a future timestamp would never expire. Route computes `receivedAt` once; the
 * delivery, its attempts and its dead letter copy it, because it is part of their key.
 */
export function receivedAtOf(timestamp: EpochMs, now: EpochMs): EpochMs {
  const startOfYesterday = Math.floor(now / DAY_MS) * DAY_MS - DAY_MS;
  return notAfter(Math.max(timestamp, startOfYesterday), now);
}

/**
 * `at`, or the start of the current hour if `at` is more than five minutes in the future. The result is part of a delivery's
 * key, so a record that is routed twice should get the same time twice. That is why the replacement is not `now`, and why
 * up to five minutes (a clock that is ahead) are left unchanged.
 */
export function notAfter(at: EpochMs, now: EpochMs): EpochMs {
  return at > now + SKEW_MS ? Math.floor(now / HOUR_MS) * HOUR_MS : at;
}
