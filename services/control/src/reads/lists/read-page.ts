/**
 * A page of a list, from new to old, by widening windows of time: the newest minute first, then what is before it, eight times
 * as much each time, or as much as the rest of the page should need, until the page is full. Of a big tenant `FINAL` would otherwise read everything that it has; and a rare
 * row of a small one is found in a few steps. No window overlaps another, so nothing is read twice. What an index finds is asked for at once.
 */
import type { EpochMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import type { Reading } from "../reading.ts";
import type { Window } from "../../http/list-parameters.ts";
import { rowsOf, shownRow, type Condition, type List } from "./list.ts";
import { pageSql, pageValues } from "./page-sql.ts";
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
/** Where there are few rows at any time, a question costs more than what it reads. */
const WIDER_OF_FEW = 64;
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
  let { upTo, before } = first;
  const { isRare, wider } = searchOf(list, asked.conditions);
  let spanMs = isRare ? KEPT_MS + AHEAD_MS : first.spanMs;
  for (;;) {
    const from = Math.max(bottom, Math.min(upTo, now) - spanMs + 1);
    const askedAt = clock.monotonic();
    const window = { from, upTo, before, limit: asked.limit - rows.length };
    const answer = await reading.query(
      pageSql(list, asked.conditions, before !== null),
      gone,
      pageValues(asked.conditions, window),
    );
    const found = rowsOf(answer);
    rows.push(...found);
    spanMs = nextSpan(spanMs, wider, clock.monotonic() - askedAt);
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

/** What an index finds is asked for in one window; the others widen, faster where there is little to read. */
function searchOf({ fewOf }: List, conditions: readonly Condition[]) {
  const isFew = fewOf?.every((name) =>
    conditions.some(({ values }) => name in values),
  );
  return {
    isRare: conditions.some((condition) => condition.isRare),
    wider: isFew === true ? WIDER_OF_FEW : WIDER,
  };
}

/** A window must not grow until ClickHouse's time limit ends it: a list that is slow to search goes on in equal steps. */
function nextSpan(spanMs: number, wider: number, tookMs: number): number {
  if (tookMs < QUICK_MS) return spanMs * wider;
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
  // As pageSql selects them. An answer that is cut has a row: none is as large as the cap.
  const last = rows.at(-1) as readonly [number, ...(string | number)[]];
  return {
    upTo: last[0],
    before: last.slice(1, 1 + list.orderedBy.length),
    spanMs: Math.max(Math.min(2 * (newest - last[0]), spanMs), FIRST_SPAN_MS),
  };
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
