import type { EpochMs } from "./time.ts";

const DAY_MS = 86_400_000;

/**
 * What an event's `receivedAt` is, for a record with this timestamp that is routed at `now`: the timestamp, or the start of the day
 * before (UTC) where that is later. On a topic with CreateTime the timestamp is the publisher's: a backfill of old events would
 * otherwise be expired before its first attempt, spread over a partition of ClickHouse for each of its days, or be deleted there at
 * once by its TTL. Route decides it once; the delivery, its attempts and its dead letter carry it on, as it is part of their key.
 */
export function receivedAtOf(timestamp: EpochMs, now: EpochMs): EpochMs {
  const startOfYesterday = Math.floor(now / DAY_MS) * DAY_MS - DAY_MS;
  return Math.max(timestamp, startOfYesterday);
}
