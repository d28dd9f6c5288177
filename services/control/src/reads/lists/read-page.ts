/**
 * A page of a list, from new to old, by widening windows of time: the newest minute first, then what is before it, eight times
 * as much each time, or as much as the rest of the page should need, until the page is full. Of a big tenant `FINAL` would otherwise read everything that it has; and a rare
 * row of a small one is found in a few steps. No window overlaps another, so nothing is read twice.
 */
import type { EpochMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import type { QueryValues } from "../../cookbook/read-parameters.ts";
import type { Reading } from "../reading.ts";
import {
  rowsOf,
  selected,
  shownRow,
  timeOf,
  type Condition,
  type List,
} from "./list.ts";
import type { Window } from "../../http/list-parameters.ts";
import { cursorOf, readCursor, type Place } from "./place.ts";

export interface Page {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Asks for the rest; null where nothing is left. A page may have fewer rows than its limit, or none, and still have a rest. */
  readonly nextCursor: string | null;
}

export interface PageAsked extends Window {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly conditions: readonly Condition[];
}

export interface ReadFrom {
  readonly reading: Pick<Reading, "query">;
  readonly clock: Clock;
  readonly gone: AbortSignal;
}

const FIRST_SPAN_MS = 60_000;
const WIDER = 8;
/** Where a window had some of the rows, the next one is as long as those still wanted should need, times this. */
const ENOUGH_FOR_REST = 1.5;
/** After this time a page is answered as far as it is read: another window may take as long again as all before. */
const ENOUGH_MS = 3_000;
/** After a window that took longer, the next one is at most twice as wide. */
const QUICK_MS = 500;
/** After a window that took longer, the next one is no wider; after twice as long, half as wide. */
const SLOW_MS = 5_000;
/** Where a question is slow however short its window, shorter ones would never come to an end. */
const LEAST_SLOW_SPAN_MS = 3_600_000;
/** The tables keep rows for 30 days, and drop a day only as a whole. */
const KEPT_MS = 32 * 86_400_000;
/** How far the broker's clock may be ahead of ours. */
const AHEAD_MS = 86_400_000;
/** The end of ClickHouse's times, as far as the tables have them. */
const LATEST = Date.UTC(2100, 0, 1);

export async function readPage(
  list: List,
  asked: PageAsked,
  { reading, clock, gone }: ReadFrom,
): Promise<Page> {
  const now = clock.now();
  const startedAt = clock.monotonic();
  const bottom = within(asked.since ?? now - KEPT_MS);
  const first = firstPlace(list, asked, now);
  const newest = Math.min(first.upTo, now);
  const rows: (readonly unknown[])[] = [];
  let { upTo, before, spanMs } = first;
  for (;;) {
    const from = Math.max(bottom, Math.min(upTo, now) - spanMs + 1);
    const askedAt = clock.monotonic();
    const window = { from, upTo, before, limit: asked.limit - rows.length };
    const answer = await reading.query(
      sqlOf(list, asked.conditions, before !== null),
      gone,
      valuesOf(asked.conditions, window),
    );
    const found = rowsOf(answer);
    rows.push(...found);
    spanMs = nextSpan(spanMs, clock.monotonic() - askedAt);
    const isLast = from <= bottom;
    if (answer.truncated || (rows.length >= asked.limit && !isLast))
      return pageOf(list, rows, afterLast(list, rows, { newest, spanMs }));
    if (isLast) return pageOf(list, rows, null);
    const isLong = clock.monotonic() - startedAt > ENOUGH_MS;
    if (found.length > 0) {
      const each = (Math.min(upTo, now) - from + 1) / found.length;
      // The window after a page that ends here is the first of a whole one.
      const wanted = isLong ? asked.limit : asked.limit - rows.length;
      const span = Math.ceil(ENOUGH_FOR_REST * each * wanted);
      spanMs = Math.min(spanMs, Math.max(span, FIRST_SPAN_MS));
    }
    upTo = from - 1;
    before = null;
    if (isLong) return pageOf(list, rows, { upTo, before, spanMs });
  }
}

/** A window must not grow until ClickHouse's time limit ends it: a list that is slow to search goes on in equal steps. */
function nextSpan(spanMs: number, tookMs: number): number {
  if (tookMs < QUICK_MS) return spanMs * WIDER;
  if (tookMs < SLOW_MS) return spanMs * 2;
  return tookMs < 2 * SLOW_MS
    ? spanMs
    : Math.max(Math.ceil(spanMs / 2), LEAST_SLOW_SPAN_MS);
}

function firstPlace(list: List, asked: PageAsked, now: EpochMs): Place {
  if (asked.cursor !== undefined) {
    const { cursor } = asked;
    const place = readCursor(list.name, { cursor, orderedBy: list.orderedBy });
    return { ...place, upTo: within(place.upTo) };
  }
  const upTo = within((asked.until ?? now + AHEAD_MS) - 1);
  return { upTo, before: null, spanMs: FIRST_SPAN_MS };
}

function within(at: EpochMs): EpochMs {
  return Math.min(Math.max(at, 0), LATEST);
}

/** The next page begins behind the last row, and looks in twice the time that this one covered, if that is not too slow. */
function afterLast(
  list: List,
  rows: readonly (readonly unknown[])[],
  { newest, spanMs }: { readonly newest: EpochMs; readonly spanMs: number },
): Place {
  // As sqlOf selects them. An answer that is cut has a row: none is as large as the cap.
  const last = rows.at(-1) as readonly [number, ...(string | number)[]];
  return {
    upTo: last[0],
    before: last.slice(1, 1 + list.orderedBy.length),
    spanMs: Math.max(Math.min(2 * (newest - last[0]), spanMs), FIRST_SPAN_MS),
  };
}

/**
 * Selects the columns of the order first, then those that are shown. `FINAL` lets ClickHouse move no condition before its merge by itself,
 * and so reads every column of whatever granule it looks at; `PREWHERE` reads the rest only where these conditions leave something.
 */
function sqlOf(
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
  const before = [
    `${time} >= ${timeOf("from")} AND ${time} <= ${timeOf("upTo")}`,
    ...(isBehindRow
      ? [
          `(${time} < ${timeOf("upTo")} OR tuple(${order.slice(1).join(", ")}) < tuple(${given.join(", ")}))`,
        ]
      : []),
    ...conditions.filter(({ isFixed }) => isFixed).map(({ sql }) => sql),
  ];
  const after = conditions.filter(({ isFixed }) => !isFixed);
  return `SELECT ${columns.join(", ")}
FROM ${table} AS r FINAL
PREWHERE ${before.join("\n  AND ")}
${after.length === 0 ? "" : `WHERE ${after.map(({ sql }) => sql).join("\n  AND ")}\n`}ORDER BY ${order.map((column) => `${column} DESC`).join(", ")}
LIMIT {limit:UInt32}`;
}

function valuesOf(
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

function pageOf(
  list: List,
  rows: readonly (readonly unknown[])[],
  rest: Place | null,
): Page {
  const at = 1 + list.orderedBy.length;
  return {
    rows: rows.map((row) => shownRow(list.shown, row, at)),
    nextCursor: rest === null ? null : cursorOf(list.name, rest),
  };
}
