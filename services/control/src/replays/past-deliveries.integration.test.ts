/** What a replay selects, on a real ClickHouse. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ReplaySelection } from "@postrider/core";
import { execute, testEffects, useStack } from "@postrider/testkit";
import { createReader } from "../reads/reader.ts";
import { createPastDeliveries } from "./past-deliveries.ts";
import type { Selected } from "./selection-sql.ts";

const stack = useStack();
const DAY_MS = 24 * 3_600_000;
const NOW = Date.now();
const reader = createReader({
  ...testEffects(),
  url: stack.clickhouseUrl,
  database: stack.database,
  queryTimeoutMs: 10_000,
});
const past = createPastDeliveries(reader.select);

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

function selecting(selection: Partial<ReplaySelection>): Selected {
  return {
    kind: "redrive",
    tenantId: null,
    selectedAt: NOW + DAY_MS,
    selection: {
      deliveryIds: [],
      sql: null,
      endpointId: null,
      eventTypes: [],
      statuses: ["expired"],
      reasons: [],
      statusCode: null,
      receivedSince: null,
      receivedUntil: null,
      ...selection,
    },
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
