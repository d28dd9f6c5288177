/** Checks what the recorder has written of a run. */
import { rowsOf } from "@postrider/testkit";
import { DATABASE } from "./subject.ts";
import type { Whole } from "./whole.ts";

/** Each of `count` events of the run, and each attempt, has exactly one row; a deferral is no attempt. Throws if not. Call it when no group lags. */
export async function checkRows(
  { stack, topics }: Whole,
  run: string,
  count: number,
): Promise<void> {
  for (const [table, id, condition] of [
    ["events", "event_id", "1"],
    ["attempts", "delivery_id", "attempt_number > 0"],
  ] as const) {
    const [row] = await rowsOf<{ all: string; unique: string }>(
      stack.clickhouse.url,
      `SELECT count() AS all, uniqExact(${id}) AS unique FROM ${DATABASE}.${table} WHERE startsWith(event_id, {prefix: String}) AND ${condition}`,
      { prefix: `evt_${run}_` },
    );
    if (Number(row?.all) !== count || Number(row?.unique) !== count)
      throw new Error(
        `${table} of ${topics.prefix}: ${row?.all} rows of ${row?.unique} ids; expected ${count}`,
      );
  }
}
