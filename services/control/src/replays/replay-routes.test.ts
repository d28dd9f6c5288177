import { expect, test } from "@jest/globals";
import type { Replay } from "@postrider/core";
import { KnownKeys, type Caller } from "@postrider/http";
import type { LogRange } from "@postrider/messaging";
import {
  anEndpoint,
  BUILT_AT,
  fakeClock,
  testEffects,
} from "@postrider/testkit";
import { aReplay } from "../../fixtures/a-replay.ts";
import { ControlProblem } from "../http/problem.ts";
import { createServer } from "../http/server.ts";
import { judgeSubquery } from "../reads/query-guard.ts";
import type { EndpointCount, Named } from "./past-deliveries.ts";
import { replayRoutes } from "./replay-routes.ts";
import type { Selected } from "./selection-sql.ts";

const KEY = "an-admin-key-of-the-test";
const ENDPOINT = anEndpoint();
const LOG: readonly LogRange[] = [
  { topic: "dead-letters", partition: 0, start: 5, end: 9 },
];

/** The routes over one replay each of two tenants, asked by a caller of this tenant (null: of every one). */
function anApi(tenantId: string | null = null) {
  const replays = new Map<string, Replay>(
    ["acme", "other"].map((tenant) => [
      `rpl_${tenant}`,
      aReplay({ id: `rpl_${tenant}`, tenantId: tenant, total: 10, sent: 4 }),
    ]),
  );
  const seen = {
    selected: undefined as Selected | undefined,
    counts: [] as EndpointCount[],
    logs: [] as (readonly LogRange[] | undefined)[],
    isKafkaThere: true,
    isServed: true,
    named: [] as Named[],
    withoutDelivery: {} as Record<string, number>,
    /** For whom what is recorded was asked for. */
    asking: [] as (string | null)[],
  };
  const caller: Caller = { keyId: "key_1", role: "admin", tenantId };
  const { app } = createServer({
    ...testEffects({ clock: fakeClock(BUILT_AT) }),
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [
      (api) =>
        void api.addHook("preHandler", async (request) => {
          request.caller = caller;
        }),
      replayRoutes({
        store: {
          get: (id) => replays.get(id),
          all: () => [...replays.values()],
          async create(replay) {
            replays.set(replay.id, replay);
            return replay;
          },
          steer: async (id, action) => {
            const found = replays.get(id);
            return found && { ...found, state: `${action} was asked for` };
          },
        },
        pastFor(asking) {
          if (!seen.isServed)
            throw new ControlProblem("tenants_not_served", "");
          seen.asking.push(asking.tenantId);
          return {
            async counts(selected, log) {
              seen.selected = selected;
              seen.logs.push(log);
              return seen.counts;
            },
            named: async () => seen.named,
            withoutDelivery: async () => seen.withoutDelivery,
            wholeDays: async () => 7,
          };
        },
        async deadLetterLog() {
          if (!seen.isKafkaThere)
            throw new ControlProblem("kafka_unavailable", "");
          return LOG;
        },
        endpoints: { get: (id) => (id === ENDPOINT.id ? ENDPOINT : undefined) },
        clock: fakeClock(BUILT_AT),
        defaultRate: 500,
        judgeSql: judgeSubquery,
      }),
    ],
  });
  const ask = async (
    method: "GET" | "POST",
    url: string,
    payload?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${KEY}` },
      ...(payload && { payload }),
    });
    return { status: answer.statusCode, body: answer.json() };
  };
  return { ask, seen, replays };
}

function count(endpointId: string, fields: Partial<EndpointCount> = {}) {
  return {
    tenantId: "acme",
    endpointId,
    total: 10,
    parked: 0,
    underWay: 0,
    delivered: 0,
    payloadGone: 0,
    headersRedacted: 0,
    oldest: BUILT_AT - 2_000,
    newest: BUILT_AT - 1_000,
    ...fields,
  };
}

test("a preview tells how many would be sent to which endpoint, what is left out, and how long it takes", async () => {
  const { ask, seen } = anApi();
  seen.counts = [
    count(ENDPOINT.id, { total: 40, parked: 1, underWay: 2, delivered: 3 }),
    count("ep_deleted", { delivered: 4, newest: BUILT_AT - 500 }),
    count("inline_1"),
  ];
  seen.withoutDelivery = { invalid: 3 };

  const { status, body } = await ask("POST", "/v1/replays/preview", {
    ratePerSecond: 10,
  });

  expect(status).toBe(200);
  expect(body).toMatchObject({
    selectedAt: "2026-01-01T00:00:00.000Z",
    total: 60,
    toSend: 44,
    leftOut: { parked: 1, under_way: 2, delivered: 7, endpoint_deleted: 6 },
    oldestReceivedAt: "2025-12-31T23:59:58.000Z",
    newestReceivedAt: "2025-12-31T23:59:59.500Z",
    seconds: 5,
    endpointCount: 3,
    endpoints: [
      { endpointId: ENDPOINT.id, toSend: 34, lack: null },
      { endpointId: "ep_deleted", toSend: 0, lack: "endpoint_deleted" },
      { endpointId: "inline_1", toSend: 10, lack: null },
    ],
    withoutDelivery: { invalid: 3 },
  });
});

test("a preview tells of each endpoint what cannot be sent because its payload is lost, as the run would; a replay that is made does not ask for that again", async () => {
  const { ask, seen } = anApi();
  seen.counts = [
    count(ENDPOINT.id, { parked: 1, payloadGone: 4, headersRedacted: 2 }),
    count("ep_deleted", { payloadGone: 3 }),
    count("inline_1", { payloadGone: 10 }),
  ];

  const { body } = await ask("POST", "/v1/replays/preview", {});
  await ask("POST", "/v1/replays", { confirm: true });

  expect(body).toMatchObject({
    total: 30,
    toSend: 3,
    leftOut: {
      parked: 1,
      payload_gone: 14,
      headers_redacted: 2,
      endpoint_deleted: 10,
    },
    endpoints: [
      {
        toSend: 3,
        leftOut: { parked: 1, payload_gone: 4, headers_redacted: 2 },
      },
      { toSend: 0, leftOut: { endpoint_deleted: 10 } },
      { toSend: 0, leftOut: { payload_gone: 10 } },
    ],
  });
  expect(seen.logs).toEqual([LOG, undefined]);
});

test("Kafka is asked only once ClickHouse has answered who may ask and what is there", async () => {
  const { ask, seen } = anApi();
  seen.isKafkaThere = false;
  seen.isServed = false;
  const notServed = await ask("POST", "/v1/replays/preview", {});
  seen.isServed = true;
  const unknown = await ask("POST", "/v1/replays/preview", {
    deliveryIds: ["dlv_1"],
  });

  expect([notServed.body["type"], unknown.status]).toEqual([
    "urn:postrider:problem:tenants-not-served",
    400,
  ]);
});

test("while Kafka does not answer, a preview cannot tell what is left of dead letters, and says so", async () => {
  const { ask, seen } = anApi();
  seen.isKafkaThere = false;

  const { status, body } = await ask("POST", "/v1/replays/preview", {});

  expect([status, body["type"]]).toEqual([
    503,
    "urn:postrider:problem:kafka-unavailable",
  ]);
});

test("a replay is made of what its maker saw, or has confirmed unseen, and nothing else", async () => {
  const { ask, seen } = anApi();
  seen.counts = [count(ENDPOINT.id)];

  const unseen = await ask("POST", "/v1/replays", {});
  const confirmed = await ask("POST", "/v1/replays", { confirm: true });
  const looked = await ask("POST", "/v1/replays", {
    selectedAt: "2025-12-31T00:00:00Z",
    endpointId: "ep_1",
    ratePerSecond: 5,
    why: "their receiver is back",
  });

  const ahead = await ask("POST", "/v1/replays", {
    selectedAt: "2026-01-01T00:00:01Z", // by another replica's clock
  });

  expect(ahead.status).toBe(201);
  expect(unseen.status).toBe(400);
  expect(unseen.body["errors"]).toMatchObject([
    { field: "selectedAt", rule: "required" },
  ]);
  expect(confirmed.body).toMatchObject({
    selectedAt: "2026-01-01T00:00:00.000Z",
    ratePerSecond: 500,
    createdBy: "key_1",
    state: "running",
    total: 10,
  });
  expect(looked.status).toBe(201);
  expect(looked.body).toMatchObject({
    selectedAt: "2025-12-31T00:00:00.000Z",
    selection: { endpointId: "ep_1", statuses: ["expired"] },
    ratePerSecond: 5,
    secondsLeft: 2,
    why: "their receiver is back",
  });
});

test("a window may be told as how long ago: from now, or from when the caller saw what is selected", async () => {
  const { ask, seen } = anApi();
  const since = {
    receivedSince: "6h",
    receivedUntil: "30m",
    deadSince: "1h",
    deadUntil: "10m",
  };

  await ask("POST", "/v1/replays/preview", since);
  const { selection, selectedAt } = seen.selected!;
  await ask("POST", "/v1/replays", {
    ...since,
    selectedAt: BUILT_AT - 60_000,
  });

  expect(selectedAt).toBe(BUILT_AT);
  expect(selection).toMatchObject({
    receivedSince: BUILT_AT - 6 * 3_600_000,
    receivedUntil: BUILT_AT - 30 * 60_000,
    deadSince: BUILT_AT - 3_600_000,
    deadUntil: BUILT_AT - 10 * 60_000,
  });
  expect(seen.selected!.selection).toMatchObject({
    receivedSince: BUILT_AT - 60_000 - 6 * 3_600_000,
    deadSince: BUILT_AT - 60_000 - 3_600_000,
  });
});

test.each([
  [{ receivedSince: "1h", receivedUntil: "2h" }, "receivedUntil", "min"],
  [{ receivedSince: true }, "receivedSince", "time"],
  [{ selectedAt: "2026-01-01T00:02:00Z" }, "selectedAt", "max"],
  [{ statuses: ["pending"] }, "statuses[0]", "one_of"],
  [{ reasons: ["paused"] }, "reasons[0]", "one_of"],
  [{ receivedSince: "yesterday" }, "receivedSince", "time"],
  [{ receivedSince: 5, receivedUntil: 5 }, "receivedUntil", "min"],
  [{ deadSince: "1h", deadUntil: "1h" }, "deadUntil", "min"],
  [{ deadUntil: "1h", deliveryIds: ["dlv_1"] }, "deadUntil", "one_of"],
  [
    { deadSince: "1h", statuses: ["expired", "delivered"] },
    "deadSince",
    "expired",
  ],
  [{ deadUntil: "1h", statuses: ["delivered"] }, "deadUntil", "expired"],
  [{ ratePerSecond: 0 }, "ratePerSecond", "min"],
  [{ deliveryIds: [] }, "deliveryIds", "min"],
  [{ sql: "DROP TABLE deliveries" }, "sql", "read_only"],
  [{ sql: "SHOW TABLES" }, "sql", "read_only"],
  [{ sql: "SELECT 1) OR (1 = 1" }, "sql", "syntax"],
  [{ sql: "SELECT 1", deliveryIds: ["dlv_1"] }, "sql", "one_of"],
  [{ reason: "gone" }, "reason", "unknown"],
])("a selection of %j is refused", async (body, field, rule) => {
  const answer = await anApi().ask("POST", "/v1/replays/preview", body);

  expect(answer.status).toBe(400);
  expect(answer.body["errors"]).toMatchObject([{ field, rule }]);
});

test("deliveries that are named are looked for where they are; one that is not recorded is told", async () => {
  const { ask, seen } = anApi();
  seen.named = [{ deliveryId: "dlv_1", endpointId: "ep_1", receivedAt: 7 }];

  const known = await ask("POST", "/v1/replays/preview", {
    deliveryIds: ["dlv_1"],
  });
  const unknown = await ask("POST", "/v1/replays/preview", {
    deliveryIds: ["dlv_1", "dlv_2"],
  });

  expect(known.status).toBe(200);
  expect(seen.selected?.selection).toMatchObject({
    endpointId: "ep_1",
    receivedSince: 7,
    receivedUntil: 8,
  });
  expect(unknown.body["errors"]).toMatchObject([
    { field: "deliveryIds[1]", rule: "exists" },
  ]);
});

test.each([["acme"], [null]])(
  "what a caller of the tenant %s selects is read as that caller, once nothing is wrong with it",
  async (tenantId) => {
    const { ask, seen } = anApi(tenantId);

    const wrong = await ask("POST", "/v1/replays/preview", { rate: 1 });
    const asked = [...seen.asking];
    const preview = await ask("POST", "/v1/replays/preview", {});
    const made = await ask("POST", "/v1/replays", { confirm: true });

    expect([wrong.status, preview.status, made.status]).toEqual([
      400, 200, 201,
    ]);
    expect(asked).toEqual([]);
    expect(seen.asking).toEqual([tenantId, tenantId]);
  },
);

test.each([
  ["acme", "ep_mistyped"],
  [null, "ep_mistyped"],
  [null, "inline_1"],
  ["other", ENDPOINT.id],
])(
  "a caller of the tenant %s that names %s, of which nothing is recorded, is told that it is no endpoint",
  async (tenantId, endpointId) => {
    const { ask, replays } = anApi(tenantId);
    const before = replays.size;

    const answers = [
      await ask("POST", "/v1/replays/preview", { endpointId }),
      await ask("POST", "/v1/replays", { endpointId, confirm: true }),
    ];

    for (const { status, body } of answers) {
      expect(status).toBe(400);
      expect(body["errors"]).toMatchObject([
        { field: "endpointId", rule: "exists" },
      ]);
    }
    expect(replays.size).toBe(before);
  },
);

test("an endpoint that was deleted may be selected while something is recorded of it, and one that is there in any case", async () => {
  const { ask, seen } = anApi();

  const there = await ask("POST", "/v1/replays/preview", {
    endpointId: ENDPOINT.id,
  });
  seen.counts = [count("ep_deleted")];
  const deleted = await ask("POST", "/v1/replays/preview", {
    endpointId: "ep_deleted",
  });

  expect([there.status, deleted.status]).toEqual([200, 200]);
  expect(deleted.body).toMatchObject({ total: 10 });
});

test("a backfill is of its endpoint's tenant, and of what the endpoint wants unless it says so", async () => {
  const { ask, seen } = anApi();
  const backfill = {
    kind: "backfill",
    endpointId: ENDPOINT.id,
    receivedSince: 5,
  };

  const { status } = await ask("POST", "/v1/replays/preview", backfill);

  expect(status).toBe(200);
  expect(seen.selected).toMatchObject({
    kind: "backfill",
    tenantId: "acme",
    selection: { eventTypes: ["*"], statuses: [], receivedSince: 5 },
  });
  await ask("POST", "/v1/replays/preview", {
    ...backfill,
    eventTypes: ["order.*"],
  });
  expect(seen.selected?.selection.eventTypes).toEqual(["order.*"]);
});

test.each([
  [{}, ["endpointId", "receivedSince"]],
  [
    {
      endpointId: ENDPOINT.id,
      receivedSince: 5,
      reasons: ["gone"],
      sql: "SELECT 1",
      deadSince: "1h",
    },
    ["sql", "reasons", "deadSince"],
  ],
  [{ endpointId: "ep_unknown", receivedSince: 5 }, ["endpointId"]],
])("a backfill of %j is refused", async (fields, wrong) => {
  const answer = await anApi().ask("POST", "/v1/replays/preview", {
    kind: "backfill",
    ...fields,
  });

  expect(answer.status).toBe(400);
  expect(answer.body["errors"]).toMatchObject(
    wrong.map((field) => ({ field })),
  );
});

test("a tenant's caller does not learn of another tenant's endpoint by a backfill", async () => {
  const { ask } = anApi("other");

  const answer = await ask("POST", "/v1/replays/preview", {
    kind: "backfill",
    endpointId: ENDPOINT.id,
    receivedSince: 5,
  });

  expect(answer.body["errors"]).toMatchObject([
    { field: "endpointId", rule: "exists" },
  ]);
});

test("a tenant's caller selects and sees its own only", async () => {
  const { ask, seen } = anApi("acme");

  const list = await ask("GET", "/v1/replays");
  await ask("POST", "/v1/replays/preview", {});
  const others = await ask("POST", "/v1/replays/preview", {
    tenantId: "other",
  });

  expect(list.body["replays"]).toMatchObject([{ id: "rpl_acme" }]);
  expect((await ask("GET", "/v1/replays/rpl_acme")).status).toBe(200);
  expect((await ask("GET", "/v1/replays/rpl_other")).status).toBe(404);
  for (const action of ["pause", "resume", "cancel"]) {
    const path = (id: string): string => `/v1/replays/${id}/${action}`;
    expect((await ask("POST", path("rpl_other"))).status).toBe(404);
    expect((await ask("POST", path("rpl_acme"))).body).toMatchObject({
      state: `${action} was asked for`,
    });
  }
  const bySql = await ask("POST", "/v1/replays/preview", { sql: "SELECT 1" });
  expect(bySql.body["errors"]).toMatchObject([{ field: "sql", rule: "role" }]);
  expect(seen.selected?.tenantId).toBe("acme");
  expect(others.body["errors"]).toMatchObject([{ field: "tenantId" }]);
});

test("a preview whose window begins before what ClickHouse has whole says so", async () => {
  const { ask, seen } = anApi();
  seen.counts = [count(ENDPOINT.id)];
  const wholeSince = async (selection: object): Promise<unknown> =>
    (await ask("POST", "/v1/replays/preview", selection)).body["wholeSince"];

  expect(await wholeSince({ receivedSince: "8d" })).toBe(
    "2025-12-25T00:00:00.000Z",
  );
  expect(await wholeSince({ receivedSince: "7d" })).toBeNull();
  expect(await wholeSince({})).toBeNull();
});

test("how long a replay takes is told while it runs, and not while it is paused", async () => {
  const { ask, replays } = anApi();
  const secondsLeft = async (state: string): Promise<unknown> => {
    const fields = { id: "rpl_1", total: 10, sent: 4, ratePerSecond: 2 };
    replays.set("rpl_1", aReplay({ ...fields, state }));
    return (await ask("GET", "/v1/replays/rpl_1")).body["secondsLeft"];
  };

  expect(await secondsLeft("running")).toBe(3);
  expect(await secondsLeft("paused")).toBeNull();
  expect(await secondsLeft("cancelled")).toBeNull();
});

test("a list shows the newest first, and can be of one state", async () => {
  const { ask } = anApi();

  const some = await ask("GET", "/v1/replays?limit=1");
  const done = await ask("GET", "/v1/replays?state=done");
  const wrong = await ask("GET", "/v1/replays?state=over");

  expect(some.body).toMatchObject({ truncated: true });
  expect(some.body["replays"]).toHaveLength(1);
  expect(done.body).toEqual({
    replays: [],
    nextCursor: null,
    truncated: false,
  });
  expect(wrong.status).toBe(400);
});

test("a list goes page by page, also over replays of one millisecond, and is narrowed by state, maker, tenant and time", async () => {
  const { ask, replays } = anApi();
  replays.clear();
  for (const n of [1, 2, 3, 4, 5])
    replays.set(
      `rpl_${n}`,
      aReplay({
        id: `rpl_${n}`,
        createdAt: BUILT_AT - 3_600_000 * (5 - (n >> 1)),
        createdBy: n % 2 === 0 ? "key_1" : "admin",
        tenantId: n === 5 ? "acme" : null,
        state: n === 1 ? "done" : n === 2 ? "paused" : "running",
      }),
    );
  const idsOf = async (query: string): Promise<unknown> => {
    const { body } = await ask("GET", `/v1/replays?${query}`);
    return (body["replays"] as { id: string }[]).map(({ id }) => id.slice(4));
  };

  const pages: unknown[] = [];
  let cursor = "";
  do {
    const { body } = await ask("GET", `/v1/replays?limit=2${cursor}`);
    pages.push((body["replays"] as { id: string }[]).map(({ id }) => id));
    const next = body["nextCursor"] as string | null;
    cursor = next === null ? "" : `&cursor=${next}`;
  } while (cursor !== "");

  expect(pages).toEqual([["rpl_5", "rpl_4"], ["rpl_3", "rpl_2"], ["rpl_1"]]);
  expect(await idsOf("state=done,paused")).toEqual(["2", "1"]);
  expect(await idsOf("createdBy=key_1")).toEqual(["4", "2"]);
  expect(await idsOf("tenantId=acme")).toEqual(["5"]);
  expect(await idsOf("since=210m")).toEqual(["5", "4"]);
  expect(await idsOf("until=210m&kind=redrive")).toEqual(["3", "2", "1"]);
  expect(await idsOf("kind=backfill")).toEqual([]);
  for (const [query, rule] of [
    ["since=soon", "time"],
    ["since=1h&until=2h", "before"],
    ["cursor=x", "cursor"],
    ["state=over", "one_of"],
    ["of=me", "unknown"],
  ]) {
    const { body } = await ask("GET", `/v1/replays?${query}`);
    expect(body["errors"]).toMatchObject([{ rule }]);
  }
});

test("a tenant's caller that lists another tenant's replays is told that its key is of another", async () => {
  const { body } = await anApi("acme").ask("GET", "/v1/replays?tenantId=other");

  expect(body["errors"]).toMatchObject([{ field: "tenantId", rule: "own" }]);
});

test("a tenant's caller learns nothing of others: no replay of an operator's SQL, and not what a replay waits for", async () => {
  const { ask, replays } = anApi("acme");
  const { selection } = aReplay();
  replays.set(
    "rpl_sql",
    aReplay({
      id: "rpl_sql",
      tenantId: "acme",
      selection: { ...selection, sql: "SELECT 'other' FROM deliveries" },
    }),
  );
  const detailOf = async (detail: string): Promise<unknown> => {
    replays.set("rpl_2", aReplay({ id: "rpl_2", tenantId: "acme", detail }));
    const { body } = await ask("GET", "/v1/replays/rpl_2");
    const list = await ask("GET", "/v1/replays");
    expect(list.body["replays"]).toContainEqual(body);
    return body["detail"];
  };

  expect((await ask("GET", "/v1/replays/rpl_sql")).status).toBe(404);
  expect((await ask("POST", "/v1/replays/rpl_sql/cancel")).status).toBe(404);
  expect(await detailOf("waits for replay rpl_other, which …")).toBe("waits");
  expect(await detailOf("waits: the recorder is 5 records behind")).toBe(
    "waits",
  );
  expect(await detailOf("tries again: connect 10.0.0.5:8123")).toBe(
    "tries again",
  );
  expect(await detailOf("by hand")).toBe("by hand");
});
