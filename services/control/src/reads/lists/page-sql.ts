/** The SELECT of one window of a list, from new to old. */
import type { QueryValues } from "../../cookbook/read-parameters.ts";
import {
  isAmong,
  selected,
  timeOf,
  type Condition,
  type List,
} from "./list.ts";
import type { Place } from "./place.ts";

/**
 * Selects the columns of the order first, then those that are shown. `FINAL` lets ClickHouse move no condition before its merge by itself,
 * and so reads every column of whatever granule it looks at; `PREWHERE` reads the rest only where these conditions leave something.
 */
export function pageSql(
  list: List,
  conditions: readonly Condition[],
  isBehindRow: boolean,
): string {
  const { table, orderedBy, shown } = list;
  const time = `r.${list.time}`;
  const order = [time, ...orderedBy.map(({ column }) => `r.${column}`)];
  const columns = [
    `toUnixTimestamp64Milli(${time})`,
    ...order.slice(1),
    selected(shown),
  ];
  const given = orderedBy.map(({ type }, at) => `{before${at}:${type}}`);
  const inWindow = [
    `${time} >= ${timeOf("from")} AND ${time} <= ${timeOf("upTo")}`,
    ...(isBehindRow
      ? [
          `(${time} < ${timeOf("upTo")} OR tuple(${order.slice(1).join(", ")}) < tuple(${given.join(", ")}))`,
        ]
      : []),
  ];
  const fixed = [
    ...inWindow,
    ...conditions.filter(({ isFixed }) => isFixed).map(({ sql }) => sql),
  ];
  const before = conditions.some(({ isRare }) => isRare)
    ? [...inWindow, isAmong(list, fixed)]
    : fixed;
  const after = conditions.filter(({ isFixed }) => !isFixed);
  return `SELECT ${columns.join(", ")}
FROM ${table} AS r FINAL
PREWHERE ${before.join("\n  AND ")}
${after.length === 0 ? "" : `WHERE ${after.map(({ sql }) => sql).join("\n  AND ")}\n`}ORDER BY ${order.map((column) => `${column} DESC`).join(", ")}
LIMIT {limit:UInt32}`;
}

export function pageValues(
  conditions: readonly Condition[],
  {
    before,
    ...window
  }: { readonly before: Place["before"] } & Readonly<
    Record<"from" | "upTo" | "limit", number>
  >,
): QueryValues {
  const places = (before ?? []).map((value, at) => [`before${at}`, value]);
  return Object.assign(
    { ...window, ...Object.fromEntries(places) },
    ...conditions.map(({ values }) => values),
  ) as QueryValues;
}
