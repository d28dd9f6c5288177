/** What a replay selects, on a real ClickHouse. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ReplaySelection } from "@postrider/core";
import { execute, testEffects, useStack } from "@postrider/testkit";
import { aSelection } from "../../fixtures/a-selection.ts";
import { createReader } from "../reads/reader.ts";
import { createPastDeliveries } from "./past-deliveries.ts";
import type { Selected } from "./selection-sql.ts";
import { createWholeDays } from "./whole-days.ts";

const stack = useStack();
const DAY_MS = 24 * 3_600_000;
const NOW = Date.now();
const reader = createReader({
  ...testEffects(),
  url: stack.clickhouseUrl,
  database: stack.database,
  queryTimeoutMs: 10_000,
});
const { log } = testEffects();
const past = createPastDeliveries(
  reader.select,
  createWholeDays(reader.select, log),
);

beforeAll(async () => {
  const recorder = new URL("../../../recorder/src/main.ts", import.meta.url);
  await promisify(execFile)(
    process.execPath,
    [fileURLToPath(recorder), "migrate"],
    {
      env: {
        ...process.env,
        KAFKA_BROKERS: stack.brokers.join(","),
        POSTRIDER_TOPIC_PREFIX: stack.prefix,
        CLICKHOUSE_URL: stack.clickhouseUrl,
        POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
      },
    },
  );
}, 120_000);
afterAll(() => reader.stop(0));

interface Past {
  readonly event: string;
  readonly receivedAt?: number;
  /** When its dead letter was written, by the dispatcher's clock. */
  readonly deadAt?: number;
  readonly statusCode?: number;
}

/** Past deliveries that have expired, with their dead letters, whose offset is their place in the list. */
async function expired(endpointId: string, all: readonly Past[]) {
  const time = (at: number): string => `fromUnixTimestamp64Milli(${at})`;
  const rows = all.map((each, at) => {
    const { event, receivedAt = NOW, deadAt = NOW, statusCode = 503 } = each;
    return `('acme', '${endpointId}', ${time(deadAt)}, 'dlv_${endpointId}_${event}', '${event}', 'order.paid', ${time(receivedAt)}, 'exhausted', ${statusCode}, 0, ${at})`;
  });
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.dead_letters (tenant_id, endpoint_id, dead_at, delivery_id, event_id, event_type, received_at, reason, last_status_code, log_partition, log_offset) VALUES ${rows.join(", ")}`,
  );
}

/** Events as they were recorded. An empty payload: payloads were not recorded. */
async function recorded(
  events: readonly {
    readonly event: string;
    readonly payload: string;
    readonly headers?: Readonly<Record<string, string>>;
  }[],
) {
  const rows = events.map(
    ({ event, payload, headers = {} }, at) =>
      `('acme', '${event}', 'order.paid', fromUnixTimestamp64Milli(${NOW}), fromUnixTimestamp64Milli(${NOW}), 'no_match', ${JSON.stringify(headers).replaceAll('"', "'")}, '${payload}', 2, 0, 'events', 0, ${at})`,
  );
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.events (tenant_id, event_id, event_type, received_at, decided_at, decision, headers, payload, payload_bytes, part, source_topic, source_partition, source_offset) VALUES ${rows.join(", ")}`,
  );
}

function selecting(selection: Partial<ReplaySelection>): Selected {
  return {
    kind: "redrive",
    tenantId: null,
    selectedAt: NOW + DAY_MS,
    selection: aSelection(selection),
  };
}

const eventsOf = (units: readonly { readonly eventId: string }[]) =>
  units.map(({ eventId }) => eventId);

test("pages hold every unit once, in order, also where several have the same time", async () => {
  const events = Array.from({ length: 10 }, (_, n) => `evt_${n}`);
  await expired(
    "ep_pages",
    events.map((event, n) => ({ event, receivedAt: NOW + (n >> 2) })),
  );
  const selected = selecting({ endpointId: "ep_pages" });

  const found: string[] = [];
  let page = await past.page(selected, null, 3);
  for (; page.upTo !== null; page = await past.page(selected, page.upTo, 3))
    found.push(...eventsOf(page.candidates));

  expect(found).toEqual(events);
});

test("a page reads where the dead letters of its own units are, not those of what lies between", async () => {
  const codes = [410, 503, 503, 503, 410];
  await expired(
    "ep_sparse",
    codes.map((statusCode, n) => ({
      event: `evt_${n}`,
      statusCode,
      receivedAt: NOW + n,
    })),
  );

  for (const selection of [
    { statusCode: 410 },
    {
      sql: "SELECT delivery_id FROM deliveries WHERE status_code = 410",
    },
  ]) {
    const page = await past.page(
      selecting({ endpointId: "ep_sparse", ...selection }),
      null,
      500,
    );

    expect(eventsOf(page.candidates)).toEqual(["evt_0", "evt_4"]);
    expect([...page.letters]).toEqual(
      expect.arrayContaining([
        ["dlv_ep_sparse_evt_0", { partition: 0, offset: 0 }],
        ["dlv_ep_sparse_evt_4", { partition: 0, offset: 4 }],
      ]),
    );
    expect(page.letters.size).toBe(2);
  }
});

test("a dead letter is found although the dispatcher's clock was behind the broker's", async () => {
  await expired("ep_behind", [{ event: "evt_1", deadAt: NOW - 120_000 }]);

  const page = await past.page(
    selecting({ endpointId: "ep_behind" }),
    null,
    500,
  );

  expect(page.letters.size).toBe(1);
});

test("nothing is selected of a day of which ClickHouse may have dropped rows already: a delivery could seem to have none that was delivered", async () => {
  const today = Math.floor(NOW / DAY_MS) * DAY_MS;
  await expired("ep_old", [
    { event: "evt_dropped", receivedAt: today - 29 * DAY_MS - 1 },
    { event: "evt_whole", receivedAt: today - 29 * DAY_MS + 60_000 },
  ]);
  const selected = selecting({ endpointId: "ep_old" });

  const page = await past.page(selected, null, 500);
  const counts = await past.counts(selected);
  const named = await past.named({
    ...selected,
    selection: {
      ...selected.selection,
      deliveryIds: ["dlv_ep_old_evt_dropped", "dlv_ep_old_evt_whole"],
    },
  });

  expect(eventsOf(page.candidates)).toEqual(["evt_whole"]);
  expect(counts).toMatchObject([{ total: 1 }]);
  expect(named).toMatchObject([{ deliveryId: "dlv_ep_old_evt_whole" }]);
});

test("what is selected by when it was given up is the same before and after its redrive, whenever its event was received", async () => {
  const HOUR_MS = 3_600_000;
  const receivedAt = NOW - 3 * DAY_MS;
  await expired("ep_dead", [
    { event: "dead_early", receivedAt, deadAt: NOW - 5 * HOUR_MS },
    { event: "dead_within", receivedAt, deadAt: NOW - 2 * HOUR_MS },
    { event: "dead_at_end", receivedAt, deadAt: NOW - HOUR_MS },
  ]);
  const selected = selecting({
    endpointId: "ep_dead",
    deadSince: NOW - 2 * HOUR_MS,
    deadUntil: NOW - HOUR_MS,
  });
  const found = async () => {
    const { candidates } = await past.page(selected, null, 500);
    const [count] = await past.counts(selected);
    return [eventsOf(candidates), count?.total, count?.underWay];
  };

  const before = await found();
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.deliveries (tenant_id, received_at, delivery_id, endpoint_id, event_id, event_type, status, changed_at, version)
     VALUES ('acme', fromUnixTimestamp64Milli(${receivedAt}), 'dlv_dead_again', 'ep_dead', 'dead_within', 'order.paid', 'failed', fromUnixTimestamp64Milli(${NOW}), 65540)`,
  );

  expect(before).toEqual([["dead_within"], 1, 0]);
  expect(await found()).toEqual([["dead_within"], 1, 1]);
});

test("dead letters that match and have no delivery are counted by reason; a selection of deliveries alone has none", async () => {
  const time = (at: number): string => `fromUnixTimestamp64Milli(${at})`;
  const rows = [
    // Two events whose times are known, one whose bytes say nothing, and one of an hour before.
    ["acme", "order.paid", time(NOW), "invalid", time(NOW), 0],
    ["acme", "user.left", time(NOW - 2_000), "too_large", time(NOW), 1],
    ["", "", "NULL", "unreadable", time(NOW), 2],
    ["acme", "order.paid", "NULL", "invalid", time(NOW - 3_600_000), 3],
  ].map(
    ([tenant, type, received, reason, dead, at]) =>
      `('${tenant}', '${type}', ${received}, '${reason}', ${dead}, 'events', 0, ${at})`,
  );
  // One was written again after a crash.
  for (const values of [rows, [rows[1]]])
    await execute(
      stack.clickhouseUrl,
      `INSERT INTO ${stack.database}.dead_letters (tenant_id, event_type, received_at, reason, dead_at, record_topic, record_partition, record_offset) VALUES ${values.join(", ")}`,
    );
  const counted = async (
    selection: Partial<ReplaySelection>,
    more: Partial<Selected> = {},
  ) => await past.withoutDelivery({ ...selecting(selection), ...more });

  expect(await counted({})).toEqual({
    invalid: 2,
    too_large: 1,
    unreadable: 1,
  });
  expect(await counted({}, { tenantId: "acme" })).toEqual({
    invalid: 2,
    too_large: 1,
  });
  expect(await counted({ eventTypes: ["user.*"] })).toEqual({ too_large: 1 });
  expect(await counted({ reasons: ["unreadable"] })).toEqual({ unreadable: 1 });
  expect(
    await counted({ deadSince: NOW - 60_000, reasons: ["invalid"] }),
  ).toEqual({ invalid: 1 });
  expect(await counted({ deadUntil: NOW })).toEqual({ invalid: 1 });
  expect(await counted({ receivedSince: NOW - 1_000 })).toEqual({
    invalid: 1,
    unreadable: 1,
  });
  expect(await counted({ receivedUntil: NOW - 1_000 })).toEqual({
    invalid: 1,
    too_large: 1,
  });
  expect(await counted({}, { selectedAt: NOW - 1 })).toEqual({ invalid: 1 });
  expect(await counted({ endpointId: "ep_dead" })).toEqual({});
  expect(await counted({ statusCode: 503 })).toEqual({});
  for (const deliveriesOnly of [
    { sql: "SELECT delivery_id FROM dead_letters" },
    { deliveryIds: ["dlv_1"] },
    { statuses: ["delivered"] },
  ])
    expect(await counted(deliveriesOnly)).toEqual({});
  expect(await counted({}, { kind: "backfill" })).toEqual({});
});

/** The dead letters from this offset on are still there. */
const logFrom = (start: number) => [
  { topic: `${stack.prefix}dead-letters`, partition: 0, start, end: 6 },
];

test("what no dead letter holds any more is counted as lost where the events table has no payload, or not all of its headers", async () => {
  const events = ["gone", "recorded", "unrecorded", "secret", "kept", "last"];
  const all = events.map((event) => ({ event: `lost_${event}` }));
  await expired("ep_lost", all);
  await expired("inline_lost", all);
  await recorded([
    { event: "lost_recorded", payload: "{}" },
    { event: "lost_unrecorded", payload: "" },
    {
      event: "lost_secret",
      payload: "{}",
      headers: { authorization: "[redacted]" },
    },
  ]);
  const lostOf = async (
    start: number,
    endpointId: string,
    more: Partial<ReplaySelection> = {},
  ) => {
    const selected = selecting({ endpointId, ...more });
    const log = logFrom(start);
    const [found] = await past.counts(selected, log);
    return [found?.total, found?.payloadGone, found?.headersRedacted];
  };

  expect(await lostOf(0, "ep_lost")).toEqual([6, 0, 0]);
  expect(await lostOf(4, "ep_lost")).toEqual([6, 2, 1]);
  expect(await lostOf(4, "ep_lost", { receivedSince: NOW - 1 })).toEqual([
    6, 2, 1,
  ]);
  expect(await lostOf(6, "ep_lost")).toEqual([6, 4, 1]);
  expect(await lostOf(4, "inline_lost")).toEqual([6, 4, 0]);
  const sql = "SELECT delivery_id FROM deliveries WHERE event_id LIKE 'lost_%'";
  expect(await lostOf(4, "ep_lost", { sql })).toEqual([6, 2, 1]);
  const [unasked] = await past.counts(selecting({ endpointId: "ep_lost" }));
  expect(unasked).toMatchObject({ total: 6, payloadGone: 0 });
});

test("a unit that another delivery keeps from being sent has lost nothing, and a delivered one has only where it is to be sent again", async () => {
  await expired("ep_again", [{ event: "again_1" }, { event: "again_2" }]);
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.deliveries (tenant_id, received_at, delivery_id, endpoint_id, event_id, event_type, status, changed_at, version)
     VALUES ('acme', fromUnixTimestamp64Milli(${NOW}), 'dlv_again', 'ep_again', 'again_1', 'order.paid', 'delivered', fromUnixTimestamp64Milli(${NOW}), 200000)`,
  );
  const counted = async (statuses: string[]) =>
    await past.counts(
      selecting({ endpointId: "ep_again", statuses }),
      logFrom(6),
    );

  expect(await counted(["expired"])).toMatchObject([
    { total: 2, delivered: 1, payloadGone: 1 },
  ]);
  expect(await counted(["expired", "delivered"])).toMatchObject([
    { total: 2, delivered: 0, payloadGone: 2 },
  ]);
});

test("of a backfill's events those without a payload are lost, unless a dead letter to the endpoint has it", async () => {
  await recorded([
    { event: "fill_whole", payload: "{}" },
    { event: "fill_empty", payload: "" },
    { event: "fill_letter", payload: "" },
  ]);
  await expired("ep_fill", [{ event: "fill_letter" }]);

  const counts = await past.counts(
    {
      ...selecting({
        endpointId: "ep_fill",
        eventTypes: ["order.paid"],
        statuses: [],
        receivedSince: NOW - 1,
        receivedUntil: NOW + 1,
      }),
      kind: "backfill",
      tenantId: "acme",
    },
    logFrom(0),
  );

  // The events of the test before are recorded, too.
  expect(counts).toMatchObject([
    { endpointId: "ep_fill", total: 6, payloadGone: 2, headersRedacted: 1 },
  ]);
});

test("a shortened TTL leaves fewer days whole, and nothing older is selected; a lengthened one leaves no more than before", async () => {
  const today = Math.floor(NOW / DAY_MS) * DAY_MS;
  await expired("ep_ttl", [
    { event: "ttl_old", receivedAt: today - 7 * DAY_MS - 1 },
    { event: "ttl_whole", receivedAt: today - 7 * DAY_MS + 60_000 },
    { event: "ttl_now", receivedAt: NOW },
  ]);
  const selected = selecting({ endpointId: "ep_ttl" });
  const under = async (change: string) => {
    await execute(
      stack.clickhouseUrl,
      `ALTER TABLE ${stack.database}.deliveries ${change} SETTINGS materialize_ttl_after_modify = 0`,
    );
    const { candidates } = await past.page(selected, null, 500);
    return [await past.wholeDays(), eventsOf(candidates)];
  };
  const keeps = (interval: string): string =>
    `MODIFY TTL toDateTime(received_at) + ${interval}`;
  const all = ["ttl_old", "ttl_whole", "ttl_now"];

  expect(await under(keeps("INTERVAL 30 DAY"))).toEqual([29, all]);
  expect(await under(keeps("INTERVAL 8 DAY"))).toEqual([
    7,
    ["ttl_whole", "ttl_now"],
  ]);
  expect(await under(keeps("INTERVAL 36 HOUR"))).toEqual([0, ["ttl_now"]]);
  expect(await under(keeps("INTERVAL 12 HOUR"))).toEqual([-1, []]);
  expect(await under(keeps("INTERVAL 1 WEEK"))).toEqual([6, ["ttl_now"]]);
  expect(await under(keeps("INTERVAL 60 DAY"))).toEqual([29, all]);
  expect(await under("REMOVE TTL")).toEqual([29, all]);
});

test("a TTL by another column is none that can be read: it is told, and the days are those of the migrations", async () => {
  await execute(
    stack.clickhouseUrl,
    `ALTER TABLE ${stack.database}.deliveries MODIFY TTL toDateTime(received_at) + if(tenant_id = 'acme', toIntervalDay(60), toIntervalDay(40)) SETTINGS materialize_ttl_after_modify = 0`,
  );
  const told: unknown[] = [];

  const wholeDays = createWholeDays(reader.select, {
    warn: (event) => void told.push(event),
  });

  expect([await wholeDays(), await wholeDays()]).toEqual([29, 29]);
  expect(told).toEqual(["replay.ttlNotRead"]);
});
