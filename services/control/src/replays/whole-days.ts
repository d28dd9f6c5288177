/** How far back ClickHouse has every row of `deliveries`, as the table's TTL says now. */
import { rowTtls, type EpochMs } from "@postrider/core";
import type { Log } from "@postrider/runtime";
import { ControlProblem } from "../http/problem.ts";

type Select = <Row>(
  sql: string,
  values: Readonly<Record<string, unknown>>,
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
    // What is whole then depends on the row.
    if (!isNoTimeOfReceipt(error)) throw error;
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

/**
 * Whether ClickHouse refused to analyse the expression: it has another column, or is no time. Its other refusals, such as for memory or
 * time (241, 159), say nothing of the TTL; 29 days would then be a guess, by which what was delivered could be sent again.
 */
function isNoTimeOfReceipt(error: unknown): boolean {
  const { cause } = Object(error) as { readonly cause?: unknown };
  const { code } = Object(cause) as { readonly code?: unknown };
  return OF_ANALYSIS.has(String(code));
}
/** Arguments (36, 42, 43), a function (46) or a name (47) that is not known, types that do not fit (44, 53, 70, 386), syntax (62). */
const OF_ANALYSIS = new Set("36 42 43 44 46 47 53 62 70 386".split(" "));

/** The least time in seconds for which the TTL keeps a row: where it counts in months, that depends on the day. */
async function shortest(select: Select, ttl: string): Promise<number> {
  const [row] = await select<{ seconds: number }>(
    `SELECT min(toInt64(toUnixTimestamp(toDateTime(${ttl}))) - toInt64(toUnixTimestamp(received_at))) AS seconds
FROM (SELECT now64(3, 'UTC') - toIntervalHour(number) AS received_at FROM numbers(1440))`,
    {},
  );
  return row!.seconds; // an aggregation without GROUP BY has one row
}

/** The same for a tenant: control asks it as itself, and what ClickHouse says of that is no tenant's. */
export function forTenants(
  wholeDays: () => Promise<number>,
): () => Promise<number> {
  return async () => {
    try {
      return await wholeDays();
    } catch (error) {
      throw new ControlProblem(
        "clickhouse_unavailable",
        "ClickHouse does not answer. Ask again later.",
        { headers: { "retry-after": "1" }, cause: error },
      );
    }
  };
}
