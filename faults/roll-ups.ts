/** Compares the roll-ups with `attempts` as `postrider doctor roll-ups` does, and repairs them where a fault may have made them short. */
import type { Evidence } from "@postrider/testkit";
import {
  createWriter,
  type Writer,
} from "../services/recorder/src/clickhouse/writer.ts";
import {
  CLOCK,
  compareDays,
  type RollUpSql,
} from "../services/recorder/src/roll-ups/compare-days.ts";
import { repairDay } from "../services/recorder/src/roll-ups/repair-day.ts";
import { ROLL_UPS } from "../services/recorder/src/roll-ups/roll-up.ts";
import { markOf } from "../services/recorder/src/roll-ups/roll-up-sql.ts";

const DAY_MS = 86_400_000;

/** Only when nothing is recorded any more. `repaired`: how many of a day were short, and were repaired. Throws where a repair is refused. */
export async function settledRollUps({
  url,
  database,
  mayBeShort,
}: {
  readonly url: string;
  readonly database: string;
  readonly mayBeShort: boolean;
}): Promise<Pick<Evidence, "rollUps"> & { readonly repaired: number }> {
  const writer = createWriter({ url, database });
  const sql = inTwoDays(writer);
  try {
    const rollUps = await compareDays(sql, database, null);
    const short = rollUps.filter(
      ({ verdict }) => verdict.kind === "differs" && verdict.short.buckets > 0,
    );
    if (!mayBeShort || short.length === 0) return { rollUps, repaired: 0 };
    for (const of of short) await repair(sql, database, of);
    return {
      rollUps: await compareDays(sql, database, null),
      repaired: short.length,
    };
  } finally {
    await writer.close();
  }
}

async function repair(
  sql: RollUpSql,
  database: string,
  { day, table }: Evidence["rollUps"][number],
): Promise<void> {
  const rollUp = ROLL_UPS.find((each) => each.table === table)!; // the type names no other
  const [found] = await sql.query<{ mark: string }>(markOf(database, day));
  const mark = found!.mark; // an aggregation without GROUP BY has one row
  const done = await repairDay(sql, {
    database,
    rollUp,
    day,
    mark,
    isForced: false,
  });
  if (done.kind === "refused")
    throw new Error(`${table} of ${day} was not repaired: ${done.why}`);
}

/** ClickHouse, with a clock by which all that a run has recorded is of days that are over: only these are compared. */
function inTwoDays({ command, query }: Writer): RollUpSql {
  return {
    command,
    query: async <Row>(...asked: Parameters<Writer["query"]>) =>
      asked[0] === CLOCK
        ? [{ now: Math.floor((Date.now() + 2 * DAY_MS) / 1_000) } as Row]
        : await query<Row>(...asked),
  };
}
