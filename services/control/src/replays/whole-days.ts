/** How far back ClickHouse has every row of `deliveries`, as the table's TTL says now. */
import { rowTtls, type EpochMs } from "@postrider/core";
import type { Log } from "@postrider/runtime";
import { ControlProblem } from "../http/problem.ts";

type Select = <Row>(
  sql: string,
  values: Readonly<Record<string, unknown>>,
  isOperators?: boolean,
) => Promise<Row[]>;

const DAY_S = 24 * 3_600;
const DAY_MS = DAY_S * 1_000;

/**
 * What the TTL of the migrations, 30 days, leaves whole. A longer TTL makes it no more: when it was lengthened, a day may have been half
 * dropped, and nothing in ClickHouse tells which.
 */
export const MOST_WHOLE_DAYS = 29;

/** The start of the first day (UTC) that is whole. */
export function startOfWhole(wholeDays: number, now: EpochMs): EpochMs {
  return (Math.floor(now / DAY_MS) - wholeDays) * DAY_MS;
}

/**
 * Reads how many days before today (UTC) are whole; -1: not even today is. Rejects while ClickHouse does not answer. A TTL that cannot be
 * read is told once.
 */
export function createWholeDays(
  select: Select,
  log: Pick<Log, "warn">,
): () => Promise<number> {
  const told = new Set<string>();

  function unread(ttl: string, error: unknown): number {
    // It has another column, or is no time. What is whole then depends on the row.
    if (!(error instanceof ControlProblem && error.code === "query_failed"))
      throw error;
    if (!told.has(ttl))
      log.warn("replay.ttlNotRead", { table: "deliveries", ttl, error });
    told.add(ttl);
    return Infinity;
  }

  return async () => {
    const [table] = await select<{ engine_full: string }>(
      "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'deliveries'",
      {},
    );
    let days = MOST_WHOLE_DAYS;
    for (const ttl of rowTtls(table?.engine_full ?? "")) {
      const seconds = await shortest(select, ttl).catch((error: unknown) =>
        unread(ttl, error),
      );
      days = Math.min(days, Math.floor(seconds / DAY_S) - 1);
    }
    return Math.max(days, -1);
  };
}

/** The least time in seconds for which the TTL keeps a row: where it counts in months, that depends on the day. */
async function shortest(select: Select, ttl: string): Promise<number> {
  const [row] = await select<{ seconds: number }>(
    `SELECT toInt32(min(toInt64(toUnixTimestamp(toDateTime(${ttl}))) - toInt64(toUnixTimestamp(received_at)))) AS seconds
FROM (SELECT now64(3, 'UTC') - toIntervalHour(number) AS received_at FROM numbers(1440))`,
    {},
    true, // The expression is an operator's.
  );
  return row!.seconds; // an aggregation without GROUP BY has one row
}
