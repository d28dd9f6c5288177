/**
 * Adds to a roll-up what it lacks of a day. docs/adr/0033 says why it is done so.
 *
 * Nothing is taken out of the roll-up and nothing is written over: rows are added that make up the difference, in one step.
 *
 * 1. A staging table with a name of this run's own is made. Another staging table of this roll-up is another run's: if that one is alive,
 *    this one ends; if not, its table is dropped. Made first, looked second: of two runs at least one sees the other.
 * 2. The staging table is filled with the differences and with the durations of what they add, and merged into one part.
 * 3. The roll-up and the staging table together are compared with the attempts. They must be equal, and no attempt of the day may have come
 *    or gone since the mark was taken.
 * 4. The part is MOVEd into the roll-up. It leaves the staging table as it arrives, so that the statement may be sent twice. It feeds no
 *    view and writes no entry into the deduplication log. What the recorder inserts meanwhile adds up with it.
 * 5. The staging table is dropped.
 *
 * A kill before 4 leaves the old day, and after 4 the new one, with a staging table that the next run drops. Whoever drops it takes from
 * its run the power to change anything: without its table the MOVE fails.
 */
import { randomBytes } from "node:crypto";
import type { RollUpRepair, RollUpVerdict } from "@postrider/core";
import { compareDay, type RollUpSql } from "./compare-days.ts";
import {
  fillingCounts,
  fillingDurations,
  markOf,
  withoutDurations,
  type Place,
} from "./roll-up-sql.ts";
import { runToItsEnd, signOfLife, withQueryIds } from "./run-statements.ts";

export interface RepairOptions extends Place {
  /** `markOf` the day, read before the recorder was seen to have no insert of the day in doubt. */
  readonly mark: string;
  /** Also lowers what counts more than `attempts` has. */
  readonly isForced: boolean;
  /** How long another run's staging table is watched for a sign of life (ms). Default 2 s. */
  readonly watchMs?: number;
}

/** ClickHouse's code. The tables were there when the days were compared, so it is this run's own that is gone. */
const UNKNOWN_TABLE = "60";

/** Rejects with ClickHouse's error; then the day is the old one, or the new one if the error came after the MOVE. Running it again is safe. */
export async function repairDay(
  sql: RollUpSql,
  options: RepairOptions,
): Promise<RollUpRepair> {
  const { database, rollUp, day } = options;
  const run = randomBytes(4).toString("hex");
  const staging = `${rollUp.table}_repair_${day.replaceAll("-", "")}_${run}`;
  const own = withQueryIds(sql, staging);
  await own.command(
    `CREATE TABLE ${database}.${staging} AS ${database}.${rollUp.table}`,
  );
  try {
    return await repairThrough(own, options, staging);
  } catch (error) {
    if ((error as { code?: string }).code !== UNKNOWN_TABLE) throw error;
    return refused(
      `another run has taken it over, and dropped ${staging}; run this again to see what it did`,
    );
  } finally {
    await own.command(`DROP TABLE IF EXISTS ${database}.${staging} SYNC`);
  }
}

async function repairThrough(
  sql: RollUpSql,
  options: RepairOptions,
  staging: string,
): Promise<RollUpRepair> {
  const { database, rollUp, day, mark, isForced } = options;
  const dropped: string[] = [];
  for (const other of await othersOf(sql, options, staging)) {
    const sign = await signOfLife(sql, other, options.watchMs ?? 2_000);
    if (sign !== null)
      return refused(
        `another repair of ${rollUp.table} is at work (statement ${sign} is running in ClickHouse)`,
      );
    await sql.command(`DROP TABLE IF EXISTS ${database}.${other} SYNC`);
    dropped.push(other);
  }
  const before = await compareDay(sql, options);
  if (before.kind === "notJudged") return refused(before.why);
  if (before.kind === "equal" || !isToDo(before, isForced))
    return { kind: "nothingToDo", before };

  const staged = { ...options, staging };
  await runToItsEnd(sql, fillingCounts(staged, isForced), staging);
  await runToItsEnd(sql, fillingDurations(staged), staging);
  await runToItsEnd(
    sql,
    `OPTIMIZE TABLE ${database}.${staging} FINAL`,
    staging,
  );
  const whole = await compareDay(sql, options, staging);
  if (whole.kind === "notJudged") return refused(whole.why);
  const [lacking] = await sql.query<{ buckets: number }>(
    withoutDurations(staged),
  );
  if (
    !isWhole(whole, isForced ? 0 : before.over.buckets) ||
    lacking?.buckets !== 0
  )
    return refused(
      `what was made to repair ${day} does not make it equal; an insert came between, or ClickHouse ended the statement`,
    );
  const parts = await sql.query<{ partition: string }>(
    `SELECT DISTINCT _partition_id AS partition, _part FROM ${database}.${staging}`,
  );
  const [only, another] = parts;
  if (only === undefined || another !== undefined)
    return refused(
      `what was made to repair ${day} is in ${parts.length} parts; only one goes into the table in one step`,
    );
  const [now] = await sql.query<{ mark: string }>(markOf(database, day));
  if (now?.mark !== mark)
    return refused(`attempts of ${day} came or went during the repair`);
  await runToItsEnd(
    sql,
    `ALTER TABLE ${database}.${staging} MOVE PARTITION ID '${only.partition}' TO TABLE ${database}.${rollUp.table}`,
    staging,
  );
  const [left] = await sql.query(
    `SELECT 1 FROM ${database}.${staging} LIMIT 1`,
  );
  if (left !== undefined)
    return refused(
      "the answer to the last step was lost, and the step was not done",
    );
  const after = await compareDay(sql, options);
  return { kind: "repaired", before, after, dropped };
}

function refused(why: string): RollUpRepair {
  return { kind: "refused", why };
}

function isToDo(
  { short, over }: Extract<RollUpVerdict, { kind: "differs" }>,
  isForced: boolean,
): boolean {
  return short.buckets > 0 || (isForced && over.buckets > 0);
}

/** Nothing is short, and no more is over than is left so. */
function isWhole(verdict: RollUpVerdict, overBuckets: number): boolean {
  if (verdict.kind === "differs")
    return verdict.short.buckets === 0 && verdict.over.buckets === overBuckets;
  return verdict.kind === "equal" && overBuckets === 0;
}

/** Only names as `repairDay` gives them: these tables are dropped, and a table of the operator's own may begin alike. */
async function othersOf(
  sql: RollUpSql,
  { database, rollUp }: Place,
  staging: string,
): Promise<string[]> {
  const found = await sql.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = {database: String} AND match(name, {pattern: String}) AND name != {staging: String}",
    {
      database,
      pattern: `^${rollUp.table}_repair_[0-9]{8}_[0-9a-f]{8}$`,
      staging,
    },
  );
  return found.map(({ name }) => name);
}
