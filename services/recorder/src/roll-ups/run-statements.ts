/** The statements that a repair has in ClickHouse. Each has an id that begins with the name of the repair's staging table, so that others can see it at work. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RollUpSql } from "./compare-days.ts";

const POLL_MS = 300;

/** The id of a statement that the run of this staging table has in ClickHouse; null if none is seen for a while. A run nearly always has one. */
export async function signOfLife(
  sql: RollUpSql,
  staging: string,
  watchMs: number,
): Promise<string | null> {
  const until = performance.now() + watchMs;
  for (;;) {
    const id = await runningOf(sql, staging);
    if (id !== null || performance.now() > until) return id;
    await sleep(Math.min(POLL_MS, watchMs));
  }
}

/** Each statement of the run can be found in `system.processes` by the name of its staging table. The look there has no such id: it would find itself. */
export function withQueryIds(sql: RollUpSql, staging: string): RollUpSql {
  let count = 0;
  const next = (): string => `${staging}-${(count += 1)}`;
  return {
    command: (statement) => sql.command(statement, next()),
    query: (query, params) =>
      query.includes("system.processes")
        ? sql.query(query, params)
        : sql.query(query, params, next()),
  };
}

/** A statement whose answer is lost goes on in ClickHouse: it is waited for, however long. Whether it did its work is looked at afterwards. */
export async function runToItsEnd(
  sql: RollUpSql,
  statement: string,
  staging: string,
): Promise<void> {
  try {
    await sql.command(statement);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== undefined && /^\d+$/.test(code)) throw error; // ClickHouse has answered
    while ((await runningOf(sql, staging)) !== null) await sleep(POLL_MS);
  }
}

async function runningOf(
  sql: RollUpSql,
  staging: string,
): Promise<string | null> {
  const [running] = await sql.query<{ query_id: string }>(
    "SELECT query_id FROM system.processes WHERE startsWith(query_id, {prefix: String}) LIMIT 1",
    { prefix: `${staging}-` },
  );
  return running?.query_id ?? null;
}
