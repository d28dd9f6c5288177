/** Reads what is known of the tables, and compares the roll-ups with the attempts, day by day. Changes nothing. */
import {
  columnsWithTtl,
  rowTtls,
  type RollUpsAnswer,
  type RollUpVerdict,
} from "@postrider/core";
import type { Writer } from "../clickhouse/writer.ts";
import {
  judge,
  whyNotJudged,
  type Compared,
  type TableFacts,
} from "./judge-day.ts";
import { refuseOtherTables } from "./refuse-tables.ts";
import { COUNTED_COLUMNS, ROLL_UPS, type Day } from "./roll-up.ts";
import { comparison, type Place } from "./roll-up-sql.ts";

/** What a comparison needs of ClickHouse. Statements name their database themselves. */
export type RollUpSql = Pick<Writer, "command" | "query">;

/** ClickHouse's clock, by which a day is over. */
export const CLOCK = "SELECT toUInt32(now()) AS now";

type Verdicts = Extract<RollUpsAnswer, { kind: "compared" }>["verdicts"];

/** Both roll-ups of each day; `days` null: of every day that `attempts` has. Throws `RollUpsRefusedError`, or ClickHouse's error. */
export async function compareDays(
  sql: RollUpSql,
  database: string,
  days: readonly Day[] | null,
): Promise<Verdicts> {
  await refuseOtherTables(sql, database);
  const verdicts: Verdicts[number][] = [];
  for (const day of days ?? (await daysOf(sql, database)))
    for (const rollUp of ROLL_UPS) {
      const place = { database, rollUp, day };
      const verdict = await compareDay(sql, place);
      verdicts.push({ day, table: rollUp.table, verdict });
    }
  return verdicts;
}

/** One roll-up of one day. `staging` counts as a part of the roll-up. */
export async function compareDay(
  sql: RollUpSql,
  place: Place,
  staging: string | null = null,
): Promise<RollUpVerdict> {
  const { database, rollUp, day } = place;
  const { table } = rollUp;
  const [clock] = await sql.query<{ now: number }>(CLOCK);
  const facts = await Promise.all([
    factsOf(sql, { database, table: "attempts", column: "started_at", day }),
    factsOf(sql, { database, table, column: "bucket", day }),
  ]);
  const why = whyNotJudged(day, clock!.now * 1_000, facts); // a SELECT without FROM has one row
  if (why !== null) return { kind: "notJudged", why };
  const tables = staging === null ? [table] : [table, staging];
  const [row] = await sql.query<Compared>(comparison(place, tables));
  return judge(
    row!, // an aggregation without GROUP BY has one row
    rollUp.counts.map(([column]) => column),
  );
}

/** The days of which `attempts` has rows, the first one first; also those that cannot be judged. */
export async function daysOf(sql: RollUpSql, database: string): Promise<Day[]> {
  const days = await sql.query<{ day: Day }>(
    `SELECT DISTINCT toString(toDate(started_at)) AS day FROM ${database}.attempts ORDER BY day`,
  );
  return days.map(({ day }) => day);
}

async function factsOf(
  sql: RollUpSql,
  of: {
    readonly database: string;
    readonly table: string;
    /** The column of times that its TTL is by. */
    readonly column: string;
    readonly day: Day;
  },
): Promise<TableFacts> {
  const { database, table } = of;
  const [described] = await sql.query<{ engine_full: string }>(
    "SELECT engine_full FROM system.tables WHERE database = {database: String} AND name = {table: String}",
    { database, table },
  );
  const [created] = await sql.query<{ statement: string }>(
    `SHOW CREATE TABLE ${database}.${table}`,
  );
  const [mutation] = await sql.query<{ mutation_id: string }>(
    "SELECT mutation_id FROM system.mutations WHERE database = {database: String} AND table = {table: String} AND NOT is_done ORDER BY create_time LIMIT 1",
    { database, table },
  );
  const emptied = columnsWithTtl(created?.statement ?? "");
  return {
    table,
    ...(await goesAt(sql, of, rowTtls(described?.engine_full ?? ""))),
    emptied: emptied.filter(
      (column) => table !== "attempts" || COUNTED_COLUMNS.includes(column),
    ),
    mutation: mutation?.mutation_id ?? null,
  };
}

/** ClickHouse computes when the first rows of the day go: for each minute, because a TTL may keep one hour longer than another. */
async function goesAt(
  sql: RollUpSql,
  { column, day }: { readonly column: string; readonly day: Day },
  expressions: readonly string[],
): Promise<Pick<TableFacts, "goesAt" | "unreadTtl">> {
  let first: number | null = null;
  for (const expression of expressions) {
    try {
      const [row] = await sql.query<{ at: number }>(
        `SELECT min(toUInt32(toDateTime(${expression}))) AS at FROM (SELECT toDateTime64('${day} 00:00:00', 3, 'UTC') + toIntervalMinute(number) AS ${column} FROM numbers(1440))`,
      );
      const at = row!.at * 1_000; // an aggregation without GROUP BY has one row
      first = first === null ? at : Math.min(first, at);
    } catch (error) {
      const { code } = error as { code?: string };
      // The expression has another column, or is no time: whatever ClickHouse says of it, it is not one that we can read.
      if (code === undefined || !/^\d+$/.test(code)) throw error;
      return { goesAt: null, unreadTtl: expression };
    }
  }
  return { goesAt: first, unreadTtl: null };
}
