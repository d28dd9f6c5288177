/** `main.ts roll-ups REQUEST`: what `postrider doctor roll-ups` asks of ClickHouse. Request and answer are one line of JSON each. */
import type { RollUpsAnswer, RollUpsRequest } from "@postrider/core";
import { missingGrants, type Env } from "@postrider/runtime";
import { withSql, type Say } from "../clickhouse/with-sql.ts";
import type { Writer } from "../clickhouse/writer.ts";
import { compareDays } from "./compare-days.ts";
import { refuseOtherTables, RollUpsRefusedError } from "./refuse-tables.ts";
import { repairDay } from "./repair-day.ts";
import { parseDay, ROLL_UPS, type Day } from "./roll-up.ts";
import { markOf } from "./roll-up-sql.ts";

/** A day of attempts is read in one statement. One that takes longer goes on in ClickHouse, and is waited for where it changes something. */
const REQUEST_TIMEOUT_MS = 1_800_000;

/** Exit codes as `runMigrate`; 2 also for a request that names no day of the calendar, 0 also if roll-ups differ, or nothing was looked at because the tables are others. */
export async function runRollUps(
  say: Say,
  request: string,
  env?: Env,
): Promise<number> {
  const asked = JSON.parse(request) as RollUpsRequest; // written by the command's compareRollUps or repairRollUps
  const days =
    asked.kind === "compare" ? [asked.day] : asked.days.map(({ day }) => day);
  // They become a part of statements.
  const wrong = days.find((day) => day !== null && parseDay(day) === null);
  if (wrong != null) {
    say.err(`${wrong} is not a day, such as 2026-11-27`);
    return 2;
  }
  return await withSql(
    say,
    env,
    async (sql, { database }) =>
      say.out(JSON.stringify(await answerOf(sql, database, asked))),
    REQUEST_TIMEOUT_MS,
  );
}

async function answerOf(
  sql: Writer,
  database: string,
  request: RollUpsRequest,
): Promise<RollUpsAnswer> {
  try {
    switch (request.kind) {
      case "compare":
        return await compared(sql, database, request);
      case "repair":
        return await repaired(sql, database, request);
    }
  } catch (error) {
    if (!(error instanceof RollUpsRefusedError)) throw error;
    return { kind: "refused", why: error.message, next: error.next };
  }
}

async function compared(
  sql: Writer,
  database: string,
  { day, isToRepair }: Extract<RollUpsRequest, { kind: "compare" }>,
): Promise<RollUpsAnswer> {
  // Before anything is looked at: what is missing for the look is missing here, too.
  const missing = isToRepair
    ? await missingGrants(sql.valueOf, { holder: "repair", database })
    : [];
  if (missing !== null && missing.length > 0)
    return { kind: "compared", verdicts: [], marks: {}, missing };
  const days = day === null ? null : [day];
  const verdicts = await compareDays(sql, database, days);
  const differing = verdicts.filter(
    ({ verdict }) => verdict.kind === "differs",
  );
  const marks: Record<Day, string> = {};
  if (isToRepair)
    for (const each of new Set(differing.map((one) => one.day))) {
      const [found] = await sql.query<{ mark: string }>(markOf(database, each));
      marks[each] = found!.mark; // an aggregation without GROUP BY has one row
    }
  return { kind: "compared", verdicts, marks, missing };
}

async function repaired(
  sql: Writer,
  database: string,
  { days, isForced }: Extract<RollUpsRequest, { kind: "repair" }>,
): Promise<RollUpsAnswer> {
  await refuseOtherTables(sql, database);
  const repairs = [];
  for (const { day, table, mark } of days) {
    const rollUp = ROLL_UPS.find((each) => each.table === table)!; // the type names no other
    const place = { database, rollUp, day };
    const repair = await repairDay(sql, { ...place, mark, isForced });
    repairs.push({ day, table, repair });
  }
  return { kind: "repaired", repairs };
}
