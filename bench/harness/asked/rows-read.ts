/** What ClickHouse read for the questions, from its own log of queries. */
import { execute, rowsOf } from "@postrider/testkit";
import type { Asked } from "./ask.ts";

interface Logged {
  readonly at: string;
  readonly rows: string;
}

/** Rows read for each of the questions, in their order. They were asked one at a time, so a query that began meanwhile is theirs. */
export async function rowsReadFor(
  { url, database }: { readonly url: string; readonly database: string },
  asked: readonly Asked[],
): Promise<readonly number[]> {
  await execute(url, "SYSTEM FLUSH LOGS");
  // Control's own checks ask for nothing of ours, or of the self-test of tenants, for a sample.
  const logged = await rowsOf<Logged>(
    url,
    `SELECT toUnixTimestamp64Micro(query_start_time_microseconds) AS at, read_rows AS rows
FROM system.query_log
WHERE type = 'QueryFinish' AND has(databases, {database:String}) AND http_user_agent LIKE 'postrider-control%'
  AND query NOT LIKE '%\\_part\\_offset%'
ORDER BY at`,
    { database },
  );
  const queries = logged.map(({ at, rows }) => ({
    at: Number(at),
    rows: Number(rows),
  }));
  return asked.map(({ startedAt, endedAt }) => {
    const own = queries.filter(({ at }) => at >= startedAt && at <= endedAt);
    if (own.length === 0)
      throw new Error(
        "ClickHouse has logged no query for one of the questions",
      );
    return own.reduce((sum, { rows }) => sum + rows, 0);
  });
}
