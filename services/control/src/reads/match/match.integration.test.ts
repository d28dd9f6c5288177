/** `POST /v1/endpoints/match` over the rows of a real ClickHouse. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Endpoint } from "@postrider/core";
import { KnownKeys, type ProblemDocument } from "@postrider/http";
import { anEndpoint, execute, testEffects, useStack } from "@postrider/testkit";
import { migrateFor } from "../../../fixtures/migrated.ts";
import { createServer } from "../../http/server.ts";
import { createReader } from "../reader.ts";
import type { MatchAnswer } from "./match-operation.ts";
import { matchRoutes } from "./match-routes.ts";

const stack = useStack();
const KEY = "an-admin-key-of-the-test";
const NOW = Date.now();
const DAY_MS = 86_400_000;
const endpoints = new Map<string, Endpoint>();
const open: (() => Promise<void>)[] = [];
let url = "";

beforeAll(async () => {
  await migrateFor(stack);
  const effects = testEffects();
  // Its time does not run out, however slow the machine is.
  const clock = { ...effects.clock, monotonic: () => 0 };
  const reader = createReader({
    ...effects,
    url: stack.clickhouseUrl,
    database: stack.database,
    queryTimeoutMs: 60_000,
  });
  const server = createServer({
    ...effects,
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [matchRoutes({ reader, clock, table: endpoints })],
  });
  open.push(
    () => reader.stop(0),
    () => server.stop(0),
  );
  await reader.start();
  await server.start();
  url = server.url();
  await insert([
    order("a", 150),
    order("b", 50),
    order("c", 101, { event_type: "user.created" }),
    order("d", 500, { tenant_id: "zebra" }),
    order("e", 500, { decision: "duplicate" }),
    order("f", 500, { endpoint_ids: ["inline_1"], delivery_ids: ["dlv_1"] }),
    order("g", 500, { received_at: time(NOW - 3 * DAY_MS) }),
    order("h", 500, { payload_base64: "" }),
    { ...order("i", 0), payload_base64: base64("no JSON"), payload_bytes: 7 },
    {
      ...order("j", 0),
      payload_base64: base64('{"total":9007199254740993}'),
      payload_bytes: 26,
    },
  ]);
});

afterAll(async () => {
  for (const stop of open.toReversed()) await stop();
});

function time(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

function order(
  id: string,
  total: number,
  over: Readonly<Record<string, unknown>> = {},
) {
  const payload = JSON.stringify({ total });
  return {
    tenant_id: "acme",
    event_id: id,
    event_type: "order.paid",
    received_at: time(NOW - 60_000),
    decided_at: time(NOW - 59_000),
    decision: "routed",
    payload_base64: base64(payload),
    payload_bytes: payload.length,
    source_topic: "postrider.events",
    part: 0,
    parts: 1,
    ...over,
  };
}

async function insert(rows: readonly object[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    const lines = rows
      .slice(from, from + 1_000)
      .map((row) => JSON.stringify(row));
    await execute(
      stack.clickhouseUrl,
      `INSERT INTO ${stack.database}.events (${Object.keys(order("", 0)).join(", ")}, endpoint_ids, delivery_ids) SETTINGS async_insert=0 FORMAT JSONEachRow\n${lines.join("\n")}`,
    );
  }
}

async function match(body: unknown) {
  const answer = await fetch(`${url}/v1/endpoints/match`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as MatchAnswer & ProblemDocument,
  };
}

const FILTER = "payload.total > 100";

test("a tenant's events of the last day are counted by what the filter says of them; what no filter would be asked is left out", async () => {
  const { status, body } = await match({ tenantId: "acme", filter: FILTER });

  expect(status).toBe(200);
  expect(body).toMatchObject({
    filter: FILTER,
    tenantId: "acme",
    eventTypes: ["*"],
    events: 6,
    read: 6,
    passed: 3,
    filtered: 1,
    failed: 1,
    unknown: 1,
    failures: [{ reason: "the payload is not JSON: at character 1", count: 1 }],
  });
});

test.each([
  [{ since: "7d" }, { events: 7, passed: 4 }],
  [
    { since: "7d", until: "2d" },
    { events: 1, passed: 1 },
  ],
  [{ eventTypes: ["user.created"] }, { events: 1, passed: 1 }],
  [{ eventTypes: ["order.*"] }, { events: 5, passed: 2 }],
  [{ eventTypes: ["order"] }, { events: 0, read: 0 }],
  [{ tenantId: "zebra" }, { events: 1, passed: 1 }],
  [{ tenantId: "nobody" }, { events: 0, read: 0 }],
  [
    { filter: "payload.total == 9007199254740993" },
    { events: 6, passed: 1, filtered: 3 },
  ],
  [
    { eventId: "b", since: "30d" },
    { events: 1, filtered: 1 },
  ],
  [{ eventId: "g" }, { events: 1, passed: 1 }],
])("with %j", async (given, counts) => {
  const { body } = await match({
    tenantId: "acme",
    filter: FILTER,
    ...given,
  });

  expect(body).toMatchObject(counts);
});

test("an endpoint's own filter and types are asked, or another filter with its types", async () => {
  endpoints.set(
    "ep_1",
    anEndpoint({ id: "ep_1", filter: FILTER, eventTypes: ["user.*"] }),
  );

  const own = await match({ endpointId: "ep_1" });
  const other = await match({ endpointId: "ep_1", filter: "false" });

  expect(own.body).toMatchObject({ filter: FILTER, events: 1, passed: 1 });
  expect(other.body).toMatchObject({ events: 1, filtered: 1 });
});

test.each([
  [{ filter: FILTER }, 400, "tenantId required"],
  [{ tenantId: "acme" }, 400, "filter required"],
  [{ tenantId: "acme", filter: "paylod.a" }, 400, "filter name"],
  [{ tenantId: "acme", filter: FILTER, since: "later" }, 400, "since time"],
  [{ tenantId: "acme", filter: FILTER, sinze: "1d" }, 400, "sinze unknown"],
  [{ endpointId: "ep_none" }, 404, "id exists"],
  [{ endpointId: "ep_plain" }, 400, "filter required"],
  [
    { endpointId: "ep_plain", filter: FILTER, tenantId: "zebra" },
    400,
    "tenantId kept",
  ],
  [{ tenantId: "acme", filter: FILTER, eventId: "d" }, 404, "eventId exists"],
  [[], 400, "body type"],
])("%j is refused: %i, %s", async (given, status, expected) => {
  endpoints.set("ep_plain", anEndpoint({ id: "ep_plain" }));

  const refused = await match(given);

  expect(refused.status).toBe(status);
  expect(
    refused.body.errors?.map(({ field, rule }) => `${field} ${rule}`),
  ).toEqual([expected]);
});

test("many events with large payloads are read page by page, each once", async () => {
  const pad = "x".repeat(50_000);
  await insert(
    Array.from({ length: 1_200 }, (_, n) => {
      const payload = JSON.stringify({ n, pad: n % 10 === 0 ? pad : "" });
      return order(`many-${n}`, 0, {
        tenant_id: "many",
        payload_base64: base64(payload),
        payload_bytes: payload.length,
      });
    }),
  );

  const { body } = await match({
    tenantId: "many",
    filter: "payload.n % 2 == 0",
  });

  expect(body).toMatchObject({
    events: 1_200,
    read: 1_200,
    passed: 600,
    filtered: 600,
  });
});
