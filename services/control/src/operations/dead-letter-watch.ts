/**
 * Counts dead letters in ClickHouse once a minute, while this process is the owner, and tells of each tenant that has as many as the
 * threshold in an hour: by an event, where the operator has named a tenant for them, and then by a signal. Invariant: one of each for a
 * tenant and hour. What was told is remembered here until the recorder has the signal, which the next owner's count leaves out; an event
 * that is told again, because its signal was not written, has the same id.
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
  deadLettersSignal,
  eventRecord,
  ofDeadLetters,
  signalRecord,
  tenantAndHour,
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
  /** Null: no events, only signals. */
  readonly operationsTenant: string | null;
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
      limit: MAX_TENANTS,
    });
    for (const count of counts) {
      const key = tenantAndHour(count);
      if (told.has(key)) continue;
      if (signal.aborted) return;
      await tell(count, now);
      told.set(key, count.since);
    }
  }

  /** The signal comes last: an hour that has one is not counted again. */
  async function tell(count: DeadLetterCount, now: EpochMs): Promise<void> {
    if (operationsTenant !== null) {
      const seen = { threshold, operationsTenant, now };
      const event = ofDeadLetters(count, seen);
      if (event !== null)
        await options.send(eventRecord(operationsTenant, event));
    }
    await options.send(
      signalRecord(deadLettersSignal(count, { threshold, now })),
    );
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
GROUP BY tenantId, since
HAVING count >= {threshold:UInt64} AND (tenantId, since) NOT IN (
  SELECT tenant_id, toInt64(toUnixTimestamp(toStartOfHour(at))) * 1000
  FROM signals
  WHERE kind = 'dead_letters_growing' AND at >= fromUnixTimestamp64Milli({since:Int64})
)
ORDER BY count DESC
LIMIT {limit:UInt64}`;
