/** What ClickHouse read for the questions, from its own log of queries. */
import { execute, rowsOf } from "@postrider/testkit";
import type { Asked } from "./ask.ts";

/** What ClickHouse did for one question. */
export interface ReadFor {
  readonly rows: number;
  /** Its CPU time, ms: unlike the time of the answer, it depends little on what else the machine does. */
  readonly cpuMs: number;
}

/** For each of the questions, in their order. They were asked one at a time, so a query that began meanwhile is theirs. */
export async function readFor(
  { url, database }: { readonly url: string; readonly database: string },
  asked: readonly Asked[],
): Promise<readonly ReadFor[]> {
  await execute(url, "SYSTEM FLUSH LOGS");
  // Control's own checks ask for nothing of ours, or of the self-test of tenants, for a sample.
  const logged = await rowsOf<Readonly<Record<"at" | "rows" | "cpu", string>>>(
    url,
    `SELECT toUnixTimestamp64Micro(query_start_time_microseconds) AS at, read_rows AS rows,
  ProfileEvents['OSCPUVirtualTimeMicroseconds'] AS cpu
FROM system.query_log
WHERE type = 'QueryFinish' AND has(databases, {database:String}) AND http_user_agent LIKE 'postrider-control%'
  AND query NOT LIKE '%\\_part\\_offset%'
ORDER BY at`,
    { database },
  );
  const queries = logged.map(({ at, rows, cpu }) => ({
    at: Number(at),
    rows: Number(rows),
    cpuMs: Number(cpu) / 1000,
  }));
  return asked.map(({ startedAt, endedAt }) => {
    const own = queries.filter(({ at }) => at >= startedAt && at <= endedAt);
    if (own.length === 0)
      throw new Error(
        "ClickHouse has logged no query for one of the questions",
      );
    return {
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      cpuMs: own.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    };
  });
}
