import { expect, test } from "@jest/globals";
import type { QueryValues } from "../../cookbook/read-parameters.ts";
import { ATTEMPTS } from "./attempt-list.ts";
import { DEAD_LETTERS } from "./dead-letter-list.ts";
import { deliveryConditions, DELIVERIES } from "./delivery-list.ts";
import type { List } from "./list.ts";
import { cursorOf } from "./place.ts";
import { readPage, type PageAsked } from "./read-page.ts";

const NOW = Date.UTC(2026, 10, 29);
const DAY = 86_400_000;

/** Rows are their times. Each question takes `tookMs`, or what a window of that length takes. */
function listOf(
  times: readonly number[],
  tookMs: number | ((windowMs: number) => number) = 0,
  list: List = DELIVERIES,
) {
  const asked: { readonly from: number; readonly upTo: number }[] = [];
  const texts: string[] = [];
  let passedMs = 0;
  const clock = { now: () => NOW, monotonic: () => passedMs };
  return {
    asked,
    texts,
    page: (of: Partial<PageAsked> = {}) =>
      readPage(
        list,
        { since: null, until: null, limit: 10, conditions: [], ...of },
        {
          clock,
          gone: new AbortController().signal,
          reading: {
            async query(
              sql: string,
              _gone: AbortSignal,
              values: QueryValues = {},
            ) {
              const [from, upTo, limit] = ["from", "upTo", "limit"].map(
                (name) => Number(values[name]),
              ) as [number, number, number];
              passedMs +=
                typeof tookMs === "number" ? tookMs : tookMs(upTo - from);
              asked.push({ from, upTo });
              texts.push(sql);
              const id = (at: number) => `dlv_${at}`;
              const before = values["before0"];
              const found = times
                .filter((at) => at >= from && at <= upTo)
                .filter(
                  (at) =>
                    before === undefined ||
                    at < upTo ||
                    id(at) < String(before),
                )
                .toSorted((a, b) => b - a);
              return {
                columns: [],
                rows: found
                  .slice(0, limit)
                  .map((at) => JSON.stringify([at, id(at), id(at)])),
                truncated: found.length > limit,
              };
            },
          },
        },
      ),
  };
}

const idsOf = (page: Awaited<ReturnType<ReturnType<typeof listOf>["page"]>>) =>
  page.rows.map(({ id }) => id);

test("a page that is full after the newest minute asks for nothing older", async () => {
  const list = listOf(Array.from({ length: 100 }, (_, n) => NOW - n * 1_000));

  const page = await list.page();

  expect(page.rows).toHaveLength(10);
  expect(page.nextCursor).not.toBe(null);
  expect(list.asked).toHaveLength(1);
  expect(NOW - list.asked[0]!.from).toBeLessThan(60_000);
});

test("windows widen, follow one another without a gap, and end where the tables do", async () => {
  const list = listOf([NOW - 30 * DAY]);

  const page = await list.page();

  expect(idsOf(page)).toEqual([`dlv_${NOW - 30 * DAY}`]);
  expect(page.nextCursor).toBe(null);
  expect(list.asked.length).toBeLessThan(9);
  for (const [at, window] of list.asked.entries())
    if (at > 0) expect(window.upTo).toBe(list.asked[at - 1]!.from - 1);
});

test.each([
  ["attempts of an endpoint", ATTEMPTS, { tenantId: "t", endpointId: "ep" }],
  ["dead letters of a tenant", DEAD_LETTERS, { tenantId: "t" }],
] as const)("the windows of %s widen faster", async (_, list, values) => {
  const all = listOf([], 0, list);
  const few = listOf([], 0, list);

  await all.page();
  await few.page({ conditions: [{ sql: "1", values }] });

  expect(few.asked.length).toBeLessThan(5);
  expect(all.asked.length).toBeGreaterThan(few.asked.length);
  for (const [at, window] of few.asked.entries())
    if (at > 0) expect(window.upTo).toBe(few.asked[at - 1]!.from - 1);
});

test("what an index of ids finds is asked for at once, its rows by the table's key", async () => {
  const list = listOf([NOW - 30 * DAY]);

  const page = await list.page({
    conditions: deliveryConditions({ eventId: "evt_1", limit: 10 }),
  });

  expect(idsOf(page)).toEqual([`dlv_${NOW - 30 * DAY}`]);
  expect(list.asked).toHaveLength(1);
  expect(list.texts[0]).toContain(
    "tuple(r.tenant_id, r.received_at, r.delivery_id) IN (",
  );
});

test("where a window had some rows, the next one is only as long as the rest of the page needs", async () => {
  const MINUTE = 60_000;
  const times = Array.from({ length: 100 }, (_, n) => NOW - n * 10 * MINUTE);
  const list = listOf(times);

  const page = await list.page();

  // Ten rows lie in 90 minutes; windows eight times as long would end after 585.
  expect(page.rows).toHaveLength(10);
  expect(NOW - list.asked.at(-1)!.from).toBeLessThan(150 * MINUTE);
  expect(list.asked.length).toBeLessThan(6);
});

test("a page that ends for time leaves the next one as much to look in as a whole page needs", async () => {
  // Nine rows in a day, of ten that are wanted.
  const times = Array.from({ length: 9 }, (_, n) => NOW - (n * DAY) / 9);
  const list = listOf(times, 4_000);
  const place = { upTo: NOW, before: null, spanMs: DAY };

  const page = await list.page({ cursor: cursorOf(DELIVERIES.name, place) });
  expect(page.rows).toHaveLength(9);
  await list.page({ cursor: page.nextCursor! });

  const [, next] = list.asked;
  expect(next!.upTo - next!.from).toBeGreaterThan(DAY);
});

test("rows are left out before FINAL merges them by what all rows of a delivery agree in, and only after it by what changes", async () => {
  const list = listOf([NOW]);

  await list.page({
    conditions: deliveryConditions({
      tenantId: "acme",
      endpointId: "ep_1",
      eventType: "order.*",
      status: ["failed"],
      minAttempts: 2,
      statusCode: { first: 500, last: 599 },
      limit: 10,
    }),
  });

  const [, before, after] =
    /\nPREWHERE ([^]*)\nWHERE ([^]*)\nORDER BY/.exec(list.texts[0]!) ?? [];
  for (const column of ["received_at", "tenant_id", "endpoint_id"])
    expect(before).toContain(`r.${column}`);
  // Not what kind of event it was: its id can be published twice, with two types.
  for (const column of ["status", "status_code", "event_type", "attempts"]) {
    expect(before).not.toContain(`r.${column}`);
    expect(after).toContain(`r.${column}`);
  }
});

test("what is newer than now is in the first window", async () => {
  const list = listOf([NOW + 5_000]);

  expect(idsOf(await list.page())).toEqual([`dlv_${NOW + 5_000}`]);
});

test("since and until bound what is asked for", async () => {
  const list = listOf([]);

  await list.page({ since: NOW - DAY, until: NOW - DAY / 2 });

  expect(list.asked[0]!.upTo).toBe(NOW - DAY / 2 - 1);
  expect(list.asked.at(-1)!.from).toBe(NOW - DAY);
});

test("pages have every row once, and the last one has no cursor", async () => {
  const times = Array.from({ length: 95 }, (_, n) => NOW - n * 7_000_000);
  const list = listOf(times);

  const seen: unknown[] = [];
  let page = await list.page();
  seen.push(...idsOf(page));
  while (page.nextCursor !== null) {
    page = await list.page({ cursor: page.nextCursor });
    seen.push(...idsOf(page));
  }

  expect(seen).toEqual(times.map((at) => `dlv_${at}`));
});

test("a list that takes long is answered as far as it is read, and goes on from there", async () => {
  const list = listOf([NOW - 20 * DAY], 4_000);

  const first = await list.page();
  let page = first;
  while (page.nextCursor !== null && page.rows.length === 0)
    page = await list.page({ cursor: page.nextCursor });

  expect(first).toMatchObject({ rows: [], nextCursor: expect.any(String) });
  expect(idsOf(page)).toEqual([`dlv_${NOW - 20 * DAY}`]);
  expect(list.asked.length).toBeLessThan(20);
  expect(list.asked[1]!.upTo).toBe(list.asked[0]!.from - 1);
});

test("windows of a list that is slow to search do not grow until the time limit ends them", async () => {
  const longest: number[] = [];
  const list = listOf([NOW - 31 * DAY], (windowMs) => {
    longest.push((windowMs / DAY) * 4_000);
    return (windowMs / DAY) * 4_000;
  });

  let page = await list.page();
  while (page.nextCursor !== null && page.rows.length === 0)
    page = await list.page({ cursor: page.nextCursor });

  expect(idsOf(page)).toEqual([`dlv_${NOW - 31 * DAY}`]);
  expect(Math.max(...longest.slice(1))).toBeLessThan(20_000);
});

test("a page of a list that is slow to search does not look in twice the time next", async () => {
  // One row a day, 4 s a day: a page of ten covers ten days.
  const times = Array.from({ length: 31 }, (_, n) => NOW - n * DAY);
  const took: number[] = [];
  const list = listOf(times, (windowMs) => {
    took.push((windowMs / DAY) * 4_000);
    return (windowMs / DAY) * 4_000;
  });

  const seen: unknown[] = [];
  let page = await list.page();
  seen.push(...idsOf(page));
  while (page.nextCursor !== null) {
    page = await list.page({ cursor: page.nextCursor });
    seen.push(...idsOf(page));
  }

  expect(seen).toEqual(times.map((at) => `dlv_${at}`));
  expect(Math.max(...took.slice(1))).toBeLessThan(20_000);
});
