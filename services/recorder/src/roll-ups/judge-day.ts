/** Whether the roll-ups of a day may be compared with its attempts, and what the comparison says. Pure. */
import type { RollUpDifference, RollUpVerdict } from "@postrider/core";
import { endOf, type Day } from "./roll-up.ts";

/** What is known of a table. */
export interface TableFacts {
  readonly table: string;
  /** From when on rows of the day go, epoch milliseconds; null: never. */
  readonly goesAt: number | null;
  /** A TTL that is not by the table's time alone, so that nobody knows what of the day is gone; null: there is none. */
  readonly unreadTtl: string | null;
  /** Of the columns that are compared: those that are emptied after a time of their own. */
  readonly emptied: readonly string[];
  /** Id of a mutation that is not finished; null: none. */
  readonly mutation: string | null;
}

const HOUR_MS = 3_600_000;
/** Attempts of a day come in for a while after its end: they last up to a minute, and are recorded later if Kafka was away. */
const SETTLED_AFTER_MS = 2 * HOUR_MS;
/** A day is left alone so long before its rows begin to go. They go in the background, during a repair too. */
const BEFORE_IT_GOES_MS = 24 * HOUR_MS;

/** Why the day cannot be judged now; null if it can. `now` is ClickHouse's clock, epoch milliseconds; `tables` are `attempts` and the roll-up. */
export function whyNotJudged(
  day: Day,
  now: number,
  tables: readonly TableFacts[],
): string | null {
  if (now < endOf(day) + SETTLED_AFTER_MS)
    return `${day} is not over: a day (UTC) is compared from two hours after its end on`;
  for (const { table, goesAt, unreadTtl, emptied, mutation } of tables) {
    if (unreadTtl !== null)
      return `what of the day is left in ${table} is not known: its TTL is not by its time alone (${unreadTtl})`;
    if (goesAt !== null && goesAt - BEFORE_IT_GOES_MS <= now)
      return `${table} drops rows of this day by its TTL from ${new Date(goesAt).toISOString().slice(0, 16)}Z on`;
    if (emptied[0] !== undefined)
      return `${table} empties its column ${emptied[0]} by a TTL of its own`;
    if (mutation !== null)
      return `an ALTER of ${table} is not finished (${mutation})`;
  }
  return null;
}

/** The row of `comparison`. */
export interface Compared {
  readonly raw: string;
  readonly counted: string;
  readonly short_buckets: string;
  readonly over_buckets: string;
  readonly short_by: readonly string[];
  readonly over_by: readonly string[];
}

export function judge(
  row: Compared,
  columns: readonly string[],
): RollUpVerdict {
  const attempts = Number(row.raw);
  const counted = Number(row.counted);
  const short = difference(row.short_buckets, row.short_by, columns);
  const over = difference(row.over_buckets, row.over_by, columns);
  if (short.buckets === 0 && over.buckets === 0)
    return { kind: "equal", attempts };
  if (attempts === 0)
    return {
      kind: "notJudged",
      why: `attempts has no rows of this day any more; the roll-up counts ${counted}`,
    };
  return { kind: "differs", attempts, counted, short, over };
}

function difference(
  buckets: string,
  by: readonly string[],
  columns: readonly string[],
): RollUpDifference {
  const of = columns.map((column, at) => [column, Number(by[at])] as const);
  return {
    buckets: Number(buckets),
    by: Object.fromEntries(of.filter(([, amount]) => amount !== 0)),
  };
}
