/**
 * Counts dead letters in ClickHouse once a minute, while this process is the owner, and tells the operator of each tenant that has more
 * than the threshold in an hour. Invariant: one event for a tenant and hour. What was told is remembered here, and another owner's
 * event has the same id.
 *
 * ClickHouse rather than Kafka: the topic's ends would be cheaper to ask for, but they count what is parked for an endpoint that is
 * paused, and do not say whose it is; reading the topic would read every payload.
 */
import type { EpochMs } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import {
  sleep,
  within,
  type Clock,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import type { Ownership, Tenure } from "../writer/ownership.ts";
import {
  COUNTED_MS,
  eventRecord,
  ofDeadLetters,
  type DeadLetterCount,
} from "./operational-event.ts";

const LOOK_EVERY_MS = 60_000;
/** Of the tenants with more than the threshold, those with the most. */
const MAX_TENANTS = 1_000;

export interface DeadLetterWatchOptions {
  readonly ownership: Pick<Ownership, "onTenure">;
  /** Asks ClickHouse. */
  readonly select: <Row>(
    sql: string,
    values: Readonly<Record<string, unknown>>,
  ) => Promise<Row[]>;
  readonly send: (record: OutRecord) => Promise<void>;
  readonly operationsTenant: string;
  readonly threshold: number;
  readonly clock: Clock;
  readonly log: Log;
  /** From one look to the next, ms. */
  readonly lookEveryMs?: number;
}

export function createDeadLetterWatch(
  options: DeadLetterWatchOptions,
): Lifecycle {
  const { clock, log, threshold, operationsTenant } = options;
  const stopped = new AbortController();
  let following: Promise<void> = Promise.resolve();
  /** Kept from tenure to tenure: a failed write ends one. */
  const told = new Map<string, EpochMs>();

  async function follow({ ended }: Tenure): Promise<void> {
    const signal = AbortSignal.any([ended, stopped.signal]);
    while (!signal.aborted) {
      try {
        await look(signal);
      } catch (error) {
        if (!signal.aborted)
          log.warn("deadLetters.notCounted", { error: String(error) });
      }
      await sleep(options.lookEveryMs ?? LOOK_EVERY_MS, { signal });
    }
  }

  async function look(signal: AbortSignal): Promise<void> {
    const now = clock.now();
    // The hour before, too: what was recorded late belongs to it.
    const since = Math.floor(now / COUNTED_MS - 1) * COUNTED_MS;
    for (const [key, of] of told) if (of < since) told.delete(key);
    const counts = await options.select<DeadLetterCount>(COUNTS_SQL, {
      since,
      threshold,
      operationsTenant,
      limit: MAX_TENANTS,
    });
    for (const count of counts) {
      const event = ofDeadLetters(count, { threshold, now });
      if (told.has(event.unique)) continue;
      if (signal.aborted) return;
      await options.send(eventRecord(operationsTenant, event));
      told.set(event.unique, count.since);
    }
  }

  options.ownership.onTenure((tenure) => {
    following = following.then(() => follow(tenure));
  });
  return {
    async start() {},
    async stop(deadline) {
      stopped.abort();
      await within(following, deadline - clock.now());
    },
  };
}

const COUNTS_SQL = `SELECT
  tenant_id AS tenantId,
  toInt64(toUnixTimestamp(toStartOfHour(dead_at))) * 1000 AS since,
  count() AS count,
  sumMap(map(toString(reason), toUInt64(1))) AS reasons
FROM dead_letters
WHERE dead_at >= fromUnixTimestamp64Milli({since:Int64})
  AND reason != 'paused'
  AND tenant_id != {operationsTenant:String}
GROUP BY tenantId, since
HAVING count >= {threshold:UInt64}
ORDER BY count DESC
LIMIT {limit:UInt64}`;
