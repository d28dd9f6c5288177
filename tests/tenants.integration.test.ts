/**
 * Tenants are kept apart: on a real ClickHouse whose tenants' user is made of the same description as the statements in
 * docs/security.md, and beside it users that each lack a part of it, whom the self-test must not let pass.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { compileFilter } from "@postrider/filter";
import {
  anAttempt,
  anEndpoint,
  anIntake,
  aDeadLetter,
  aSignal,
  rowsOf,
  testEffects,
  waitFor,
} from "@postrider/testkit";
import {
  startStack,
  type ClickHouseUser,
  type Stack,
} from "@postrider/local-stack";
import {
  TENANT_FILTER,
  TENANT_SETTINGS,
  TENANT_TABLES,
  tenantUserEntry,
  tenantUserStatements,
  type ClickHouseAccess,
} from "@postrider/runtime";
import {
  ROUTES_OF_ROWS,
  type RouteOfRows,
} from "../services/control/fixtures/routes-of-rows.ts";
import { SAVED_QUERIES } from "../services/control/src/cookbook/cookbook.ts";
import type { Explanation } from "../services/control/src/reads/explain/explanation.ts";
import { createReader } from "../services/control/src/reads/reader.ts";
import { readMatches } from "../services/control/src/reads/match/read-matches.ts";
import { readingOf } from "../services/control/src/reads/whose-rows.ts";
import { createPastDeliveries } from "../services/control/src/replays/past-deliveries.ts";
import type { Selected } from "../services/control/src/replays/selection-sql.ts";
import { dataSetFrom } from "./cookbook/data-set.ts";
import { startRecorder, type Recorder } from "./cookbook/recorded.ts";
import { dataSetStart } from "./cookbook/scopes.ts";
import {
  startReadServer,
  type ReadServer,
  type Row,
} from "./reads/read-server.ts";

const DATABASE = "tenants_apart";
const data = dataSetFrom(dataSetStart(Date.now()));

const TENANT: ClickHouseUser = tenantUserEntry(DATABASE, "secret");

/** Codes of ClickHouse. */
const READONLY = "164";
const OUT_OF_BOUNDS = "452";

function without<T>(
  of: Readonly<Record<string, T>>,
  name: string,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(of).filter(([key]) => key !== name));
}

/** Each differs from the tenants' user in one thing, and the self-test names it. */
const UNSAFE: Readonly<Record<string, readonly [ClickHouseUser, RegExp]>> = {
  ...Object.fromEntries(
    TENANT_TABLES.map((table) => [
      `no_filter_on_${table}`,
      [
        {
          ...TENANT,
          rowFilters: without(TENANT.rowFilters!, `${DATABASE}.${table}`),
        },
        new RegExp(`${DATABASE}\\.${table}\\b`),
      ],
    ]),
  ),
  other_filter: [
    {
      ...TENANT,
      rowFilters: {
        ...TENANT.rowFilters,
        [`${DATABASE}.events`]: "tenant_id = 'acme' OR 1",
      },
    },
    /events/,
  ],
  wider_filter: [
    {
      ...TENANT,
      rowFilters: {
        ...TENANT.rowFilters,
        [`${DATABASE}.attempts`]: `${TENANT_FILTER} OR tenant_id = 'shared'`,
      },
    },
    /no row filter is on .*attempts/,
  ],
  header_off: [
    {
      ...TENANT,
      settings: without(TENANT_SETTINGS, "allow_get_client_http_header"),
    },
    /X-Tenant-Id/,
  ],
  may_change_settings: [
    { ...TENANT, settings: { ...TENANT_SETTINGS, readonly: { value: 2 } } },
    /readonly = 1/,
  ],
  answers_of_others: [
    {
      ...TENANT,
      settings: { ...TENANT_SETTINGS, use_query_cache: { value: 1 } },
    },
    /use_query_cache/,
  ],
  no_limit: [
    {
      ...TENANT,
      settings: { ...TENANT_SETTINGS, max_execution_time: { value: 0 } },
    },
    /max_execution_time/,
  ],
  may_write: [
    {
      ...TENANT,
      grants: [...TENANT.grants, `GRANT INSERT ON ${DATABASE}.events`],
      settings: { ...TENANT_SETTINGS, readonly: { value: 0 } },
    },
    /readonly = 1/,
  ],
  sees_processes: [
    {
      ...TENANT,
      grants: [...TENANT.grants, "GRANT SELECT ON system.processes"],
    },
    /system\.processes/,
  ],
  sees_more: [
    {
      ...TENANT,
      grants: [...TENANT.grants, `GRANT SELECT ON ${DATABASE}.tenant_minutes`],
    },
    /tenant_minutes/,
  ],
  sees_addresses: [
    {
      ...TENANT,
      grants: TENANT.grants.filter((grant) => !grant.startsWith("REVOKE")),
    },
    /REVOKE SELECT\(remote_address\) ON tenants_apart\.attempts/,
  ],
  lacks_a_grant: [
    { ...TENANT, grants: TENANT.grants.slice(1) },
    /GRANT SELECT ON tenants_apart\.events/,
  ],
};

let stack: Stack;
let recorder: Recorder;
let server: ReadServer;

beforeAll(async () => {
  stack = await startStack({
    provider: "local",
    clickhouseUsers: {
      tenant: TENANT,
      small: {
        ...TENANT,
        settings: { ...TENANT_SETTINGS, max_rows_to_read: { value: 50_000 } },
      },
      ...Object.fromEntries(
        Object.entries(UNSAFE).map(([name, [user]]) => [name, user]),
      ),
    },
  });
  recorder = await startRecorder(stack.clickhouse.url, DATABASE);
}, 180_000);
afterAll(async () => {
  await server?.stop();
  await recorder?.close();
  await stack?.stop();
});

function accessOf(username: string): ClickHouseAccess {
  const { url } = stack.clickhouse;
  return { url, auth: () => ({ username, password: "secret" }) };
}

/** A reader that asks for tenants as this user. It has begun to look whether tenants are served. */
async function readerFor(username: string, effects = testEffects()) {
  const reader = createReader({
    ...effects,
    url: stack.clickhouse.url,
    database: DATABASE,
    queryTimeoutMs: 10_000,
    tenants: accessOf(username),
  });
  await reader.start();
  return reader;
}

/** Why tenants are not served as this user, as the log says it; null: they are. */
async function refusalOf(username: string): Promise<string | null> {
  const effects = testEffects();
  const reader = await readerFor(username, effects);
  try {
    reader.ofTenant("acme");
    return null;
  } catch (error) {
    expect((error as Error).message).toContain("tenants.notServed");
    expect((error as Error).message).not.toContain(DATABASE);
    return JSON.stringify(effects.log.of("tenants.notServed").at(-1));
  } finally {
    await reader.stop(0);
  }
}

/** ClickHouse's code of an error; null: it answered. */
async function answerTo(
  username: string,
  [setting, value]: readonly [string, number],
): Promise<string | null> {
  const url = new URL(stack.clickhouse.url);
  url.searchParams.set(setting, String(value));
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "x-clickhouse-user": username,
      "x-clickhouse-key": "secret",
    },
    body: "SELECT 1",
  });
  await answer.text();
  return answer.headers.get("x-clickhouse-exception-code");
}

test.each([
  "max_execution_time",
  "max_memory_usage",
  "max_result_rows",
  "max_result_bytes",
])(
  "a query cannot change %s, and where readonly does not forbid it, can only lower it",
  async (limit) => {
    const { value } = TENANT_SETTINGS[limit]!;
    const half = Math.floor(Number(value) / 2);
    const asked = [0, Number(value) + 1, half];

    const [asTenant, unbound] = await Promise.all(
      ["tenant", "may_change_settings"].map((username) =>
        Promise.all(asked.map((each) => answerTo(username, [limit, each]))),
      ),
    );

    expect(asTenant).toEqual([READONLY, READONLY, READONLY]);
    expect(unbound).toEqual([OUT_OF_BOUNDS, OUT_OF_BOUNDS, null]);
  },
);

const isAboutRows = (name: string): boolean => name.includes("filter");

test.each(Object.entries(UNSAFE).filter(([name]) => !isAboutRows(name)))(
  "on empty tables no tenant is served as the user %s",
  async (name, [, told]) => {
    expect(await refusalOf(name)).toMatch(told);
  },
);

test("a filter that an empty table lacks is found out soon after its first row", async () => {
  const reader = await readerFor("no_filter_on_signals");
  const isServed = (): boolean => {
    try {
      return Boolean(reader.ofTenant("acme"));
    } catch {
      return false;
    }
  };

  const before = isServed();
  await recorder.record({
    signals: [aSignal({ tenantId: "first", at: data.from })],
  });

  expect(before).toBe(true);
  await waitFor(() => !isServed());
  await reader.stop(0);
});

test("on empty tables tenants are served as the user of the description", async () => {
  expect(await refusalOf("tenant")).toBe(null);
});

test("rows of three tenants, and of none, are recorded", async () => {
  await recorder.record(data);
  const at = data.from;
  await recorder.record({
    intakes: [
      anIntake({
        tenantId: null,
        eventId: null,
        decision: "invalid",
        receivedAt: at,
        decidedAt: at,
        deliveries: [],
      }),
    ],
    deadLetters: [
      aDeadLetter({
        tenantId: null,
        endpointId: null,
        deliveryId: null,
        reason: "unreadable",
        deadAt: at,
        receivedAt: null,
      }),
    ],
    signals: ["acme", "globex"].map((tenantId) =>
      aSignal({ tenantId, at, endpointId: `ep_of_${tenantId}` }),
    ),
  });
  server = await startReadServer({
    url: stack.clickhouse.url,
    database: DATABASE,
    tenants: accessOf("tenant"),
    endpoints: ["acme", "globex"].map((tenantId) =>
      anEndpoint({
        id: `ep_later_of_${tenantId}`,
        tenantId,
        createdAt: Date.now(),
      }),
    ),
  });

  for (const table of TENANT_TABLES) {
    const [row] = await rowsOf<{ n: string }>(
      stack.clickhouse.url,
      `SELECT toString(uniqExact(tenant_id)) AS n FROM ${DATABASE}.${table}`,
    );
    expect([table, Number(row?.n) > 1]).toEqual([table, true]);
  }
});

test.each(Object.entries(UNSAFE))(
  "no tenant is served as the user %s",
  async (name, [, told]) => {
    expect(await refusalOf(name)).toMatch(told);
  },
);

test.each(TENANT_TABLES)(
  "ClickHouse itself shows a tenant its rows of %s alone, whatever is asked",
  async (table) => {
    const reader = await readerFor("tenant");
    const seenBy = async (tenantId: string) => {
      const { rows } = await reader
        .ofTenant(tenantId)
        .query(
          `SELECT DISTINCT tenant_id FROM ${table}`,
          AbortSignal.timeout(10_000),
        );
      return rows;
    };

    // The lists' conditions come before FINAL, but not before the filter: this one would fail on another tenant's row.
    const countedBy = async (tenantId: string) => {
      const { rows } = await reader
        .ofTenant(tenantId)
        .query(
          `SELECT count() > 0 FROM ${table} FINAL PREWHERE throwIf(tenant_id != 'acme') = 0`,
          AbortSignal.timeout(10_000),
        );
      return rows;
    };

    const acme = await seenBy("acme");
    const nobody = await seenBy("nobody");
    const counted = [await countedBy("acme"), await countedBy("nobody")];
    const failed = await countedBy("globex").catch(() => "failed");

    await reader.stop(0);
    expect(acme).toEqual(['["acme"]']);
    expect(nobody).toEqual([]);
    expect(counted).toEqual([["[1]"], ["[0]"]]);
    expect(failed).toBe("failed"); // of its own rows
  },
);

/** Where every request of the data set went. */
const ADDRESS = anAttempt().remoteAddress!;
const WINDOW = `since=${data.from}&until=${data.until}`;

/** How each route that reads rows is asked here: for all rows of a window, or for one thing by its id. */
const ASKED: Readonly<
  Record<RouteOfRows, readonly string[] | ((of: Thing) => string)>
> = {
  "GET /v1/attempts": [`/v1/attempts?${WINDOW}`],
  "GET /v1/audit": [`/v1/audit?${WINDOW}`],
  "GET /v1/dead-letters": [`/v1/dead-letters?${WINDOW}`],
  "GET /v1/deliveries": [
    `/v1/deliveries?${WINDOW}`,
    `/v1/deliveries?${WINDOW}&text=answered`,
  ],
  "GET /v1/deliveries/:id": ({ deliveryId }) => `/v1/deliveries/${deliveryId}`,
  "GET /v1/events/:id": ({ eventId }) => `/v1/events/${eventId}`,
  "GET /v1/events/:id/explain": ({ eventId }) =>
    `/v1/events/${eventId}/explain`,
  "GET /v1/events/:id/payload": ({ eventId }) =>
    `/v1/events/${eventId}/payload`,
  "GET /v1/queries/:name": ["/v1/queries/endpoint-health?since=7d"],
  "GET /v1/series": [
    `/v1/series?${WINDOW}&by=endpointId`,
    `/v1/series?${WINDOW}&by=tenantId`,
  ],
};

interface Thing {
  readonly eventId: string;
  readonly deliveryId: string;
}

const LISTS = Object.values(ASKED).flatMap((asked) =>
  typeof asked === "function" ? [] : asked,
);
const BY_ID = Object.entries(ASKED).flatMap(([route, asked]) =>
  typeof asked === "function" ? [[route, asked] as const] : [],
);

test("every route that reads rows is asked as a tenant", () => {
  expect(Object.keys(ASKED).toSorted()).toEqual(ROUTES_OF_ROWS);
});

test.each(LISTS)(
  "%s: a tenant gets what an operator gets of that tenant, and nothing else",
  async (path) => {
    const own = await server.ask(path, { tenantId: "acme" });
    const same = await server.ask(
      `${path}&${path.startsWith("/v1/queries") ? "tenant" : "tenantId"}=acme`,
    );

    const text = JSON.stringify(own.body);
    expect(own.status).toBe(200);
    expect({ ...own.body, elapsedMs: 0 }).toEqual({
      ...same.body,
      elapsedMs: 0,
    });
    expect(text).toContain(
      "ep_orders".slice(0, path.includes("tenantId") ? 0 : 3),
    );
    expect(text).not.toMatch(/globex|initech|ep_(?:slow|gone|down|paused)/);
    expect(text).not.toContain(ADDRESS);
  },
);

test("where a request went is told to an operator, and not to the tenant whose request it was", async () => {
  const one = data.deliveries.find(
    ({ tenantId, attempts }) => tenantId === "acme" && attempts > 0,
  )!;
  const path = `/v1/deliveries/${one.deliveryId}`;
  const attemptsIn = (timeline: readonly Row[]) =>
    timeline.filter(({ kind }) => kind === "attempt");
  const isNotAddress = ([name]: readonly [string, unknown]) =>
    name !== "remoteAddress";

  const own = await server.ask(path, { tenantId: "acme" });
  const same = await server.ask(`${path}?tenantId=acme`);

  const told = attemptsIn(same.body.timeline);
  expect(told.length).toBeGreaterThan(0);
  for (const attempt of told) expect(attempt["remoteAddress"]).toBe(ADDRESS);
  expect(attemptsIn(own.body.timeline)).toEqual(
    told.map((row) =>
      Object.fromEntries(Object.entries(row).filter(isNotAddress)),
    ),
  );
  expect(JSON.stringify(own.body)).not.toContain(ADDRESS);
});

test.each([
  "SELECT remote_address FROM attempts",
  "SELECT * FROM attempts",
  "SELECT count() FROM attempts WHERE remote_address LIKE '10.%'",
  "SELECT count() FROM attempts FINAL PREWHERE remote_address != ''",
  "SELECT delivery_id FROM attempts ORDER BY remote_address LIMIT 1",
])("ClickHouse itself refuses the tenants' user: %s", async (sql) => {
  const effects = testEffects();
  const reader = await readerFor("tenant", effects);

  const asked = await reader
    .ofTenant("acme")
    .query(sql, AbortSignal.timeout(10_000))
    .catch(() => "refused");

  await reader.stop(0);
  expect(asked).toBe("refused");
  expect(effects.log.of("tenant.queryFailed")).toMatchObject([
    { fields: { code: "497" } },
  ]);
});

function someEventOf(tenantId: string): string {
  return data.deliveries.find((one) => one.tenantId === tenantId)!.eventId;
}

test("an event is explained to a tenant as to an operator of that tenant, with no other tenant's endpoints", async () => {
  const path = `/v1/events/${someEventOf("acme")}/explain`;

  const own = await server.ask<Explanation>(path, { tenantId: "acme" });
  const same = await server.ask<Explanation>(`${path}?tenantId=acme`);

  expect(own.status).toBe(200);
  expect(own.body).toEqual(same.body);
  expect(own.body.deliveries.length).toBeGreaterThan(0);
  expect(own.body.notNamed?.endpoints).toMatchObject([
    { id: "ep_later_of_acme", reason: "created_later" },
  ]);
  expect(JSON.stringify(own.body)).not.toContain("globex");
  expect(JSON.stringify(own.body)).not.toContain(ADDRESS);
});

test("another tenant's event is explained as one that is not there, also by its record's key", async () => {
  const theirs = someEventOf("globex");
  const ids = [theirs, `globex:${theirs}`];
  // acme may have an event of the same id
  const isOwn = data.deliveries.some(
    (one) => one.tenantId === "acme" && one.eventId === theirs,
  );

  const answers = await Promise.all(
    ids.map((id) =>
      server.ask(`/v1/events/${id}/explain`, { tenantId: "acme" }),
    ),
  );
  const nothing = await server.ask("/v1/events/evt_of_nobody/explain", {
    tenantId: "acme",
  });
  const named = await server.ask(
    `/v1/events/${theirs}/explain?tenantId=globex`,
    { tenantId: "acme" },
  );

  expect(isOwn).toBe(false);
  for (const { status, body } of answers)
    expect([status, body.errors]).toEqual([404, nothing.body.errors]);
  expect(named.status).toBe(400);
});

test.each(SAVED_QUERIES)(
  "the saved query $name answers a tenant as it answers an operator of that tenant",
  async ({ name, parameters }) => {
    const endpoint =
      parameters["endpoint"]?.default === null ? "&endpoint=ep_flaky" : "";
    const asked = `/v1/queries/${name}?${parameters["since"] ? "since=7d" : ""}${endpoint}`;

    const own = await server.ask(asked, { tenantId: "acme" });
    const same = await server.ask(`${asked}&tenant=acme`);

    expect([own.status, own.body.detail]).toEqual([200, undefined]);
    expect(own.body.rows).toEqual(same.body.rows);
    expect(JSON.stringify(own.body)).not.toContain(ADDRESS);
  },
);

test.each(["redrive", "backfill"] as const)(
  "what a %s of a tenant would send is counted as an operator counts that tenant's, and ClickHouse shows no other's whatever is selected",
  async (kind) => {
    const reader = await readerFor("tenant");
    const pastFor = (tenantId: string | null) =>
      createPastDeliveries(
        readingOf(reader, { tenantId }).select,
        async () => 29,
      );
    const ofTenant = (tenantId: string | null) => selecting(kind, tenantId);

    const own = await pastFor("acme").counts(ofTenant("acme"));
    const same = await pastFor(null).counts(ofTenant("acme"));
    const all = await pastFor(null).counts(ofTenant(null));
    const unasked = await pastFor("acme").counts(ofTenant(null));
    const others = await pastFor("acme").counts(ofTenant("globex"));

    await reader.stop(0);
    expect(own.length).toBeGreaterThan(0);
    expect(own).toEqual(same);
    expect(all.length).toBeGreaterThan(own.length);
    expect(unasked).toEqual(own);
    expect(others).toEqual([]);
  },
);

test("what a filter would have done is counted of a tenant's own events, and of no other's, whoever is asked for", async () => {
  const effects = testEffects();
  const reader = await readerFor("tenant", effects);
  const compiled = compileFilter("event.type != ''");
  if (!compiled.ok) throw new Error(compiled.problem.message);
  const counts = (callersTenant: string | null, tenantId: string) =>
    readMatches(
      {
        filter: compiled.filter,
        tenantId,
        eventTypes: ["*"],
        eventId: null,
        since: 0,
        until: null,
      },
      {
        reading: readingOf(reader, { tenantId: callersTenant }),
        clock: { ...effects.clock, monotonic: () => 0 },
        gone: AbortSignal.timeout(60_000),
      },
    );

  const own = await counts("acme", "acme");
  const same = await counts(null, "acme");
  const others = await counts("acme", "globex");

  await reader.stop(0);
  expect(own.events).toBeGreaterThan(0);
  expect(own).toMatchObject({ read: own.events, passed: own.events });
  expect(own).toEqual(same);
  expect(others).toMatchObject({ events: 0, read: 0 });
});

test("of deliveries that are named, a tenant finds its own", async () => {
  const reader = await readerFor("tenant");
  const ids = ["acme", "globex"].map(
    (tenantId) =>
      data.deliveries.find((one) => one.tenantId === tenantId)!.deliveryId,
  );
  const named = selecting("redrive", null, ids);
  const past = createPastDeliveries(
    reader.ofTenant("acme").select,
    async () => 29,
  );

  const found = await past.named(named);

  await reader.stop(0);
  expect(found.map(({ deliveryId }) => deliveryId)).toEqual(ids.slice(0, 1));
});

function selecting(
  kind: "redrive" | "backfill",
  tenantId: string | null,
  deliveryIds: readonly string[] = [],
): Selected {
  return {
    kind,
    tenantId,
    selectedAt: data.until,
    selection: {
      deliveryIds,
      sql: null,
      endpointId: kind === "backfill" ? "ep_new" : null,
      eventTypes: [],
      statuses: kind === "backfill" ? [] : ["expired", "delivered"],
      reasons: [],
      statusCode: null,
      receivedSince: data.from,
      receivedUntil: null,
      deadSince: null,
      deadUntil: null,
    },
  };
}

test.each(BY_ID)(
  "%s: what another tenant has is answered word for word as what nobody has",
  async (_route, pathOf) => {
    const theirs = data.deliveries.find(
      ({ tenantId }) => tenantId === "globex",
    )!;
    const nobodys = { eventId: "evt_none", deliveryId: "dlv_of_nobody" };

    const owners = await server.ask(pathOf(theirs), { tenantId: "globex" });
    const others = await server.ask(pathOf(theirs), { tenantId: "acme" });
    const nothing = await server.ask(pathOf(nobodys), { tenantId: "acme" });

    expect([owners.status, others.status]).toEqual([200, 404]);
    expect({ ...others, body: withoutIds(others.body, theirs) }).toEqual({
      ...nothing,
      body: withoutIds(nothing.body, nobodys),
    });
  },
);

/** Without the id that was asked for, and that of the request. */
function withoutIds(body: unknown, { deliveryId, eventId }: Thing): unknown {
  const { requestId: _requestId, ...rest } = body as { requestId?: string };
  const text = JSON.stringify(rest);
  return JSON.parse(
    text.replaceAll(deliveryId, "ID").replaceAll(eventId, "ID"),
  );
}

test.each([
  "/v1/deliveries?tenantId=globex",
  "/v1/deliveries/dlv?tenantId=globex",
  "/v1/attempts?tenantId=globex",
  "/v1/dead-letters?tenantId=globex",
  "/v1/series?tenantId=globex",
  "/v1/events/evt?tenantId=globex",
  "/v1/queries/outcomes?tenant=globex",
])("a tenant that asks %s is told that its key is of another", async (path) => {
  const { status, body } = await server.ask(path, { tenantId: "acme" });

  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ rule: "own" }]);
});

test("a tenant's SQL is a 403, an operator's is answered", async () => {
  const sql = "SELECT 1";

  const tenant = await server.ask("/v1/query", { tenantId: "acme", sql });
  const operator = await server.ask("/v1/query", { sql });

  expect(tenant.status).toBe(403);
  expect(tenant.body.errors).toMatchObject([{ rule: "no_tenant" }]);
  expect(operator.body.rows).toEqual([[1]]);
});

test("without a user for tenants they get a 503, the log says once what to set, and operators are served", async () => {
  const plain = await startReadServer({
    url: stack.clickhouse.url,
    database: DATABASE,
  });

  const operator = await plain.ask("/v1/deliveries");
  const quiet = plain.log.of("tenants.notServed");
  const tenant = await plain.ask("/v1/deliveries", { tenantId: "acme" });
  await plain.ask("/v1/deliveries", { tenantId: "globex" });

  await plain.stop();
  expect([operator.status, quiet]).toEqual([200, []]);
  expect(tenant.status).toBe(503);
  expect(tenant.body.detail).not.toMatch(/CLICKHOUSE_|migrate/);
  const told = plain.log.of("tenants.notServed");
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).toContain("CLICKHOUSE_TENANT_USER");
  expect(JSON.stringify(told)).toContain("migrate --print-tenant-user");
});

test("tenants are served again, without a restart, once the self-test passes", async () => {
  let user = "no_filter_on_events";
  const { url } = stack.clickhouse;
  const mended = await startReadServer({
    url,
    database: DATABASE,
    tenants: { url, auth: () => ({ username: user, password: "secret" }) },
  });

  const before = await mended.ask("/v1/deliveries", { tenantId: "acme" });
  user = "tenant";

  expect(before.status).toBe(503);
  await waitFor(async () => {
    const { status } = await mended.ask("/v1/deliveries", { tenantId: "acme" });
    return status === 200;
  });
  expect(mended.log.of("tenants.served")).toHaveLength(1);
  await mended.stop();
});

test("the self-test of large tables reads little, and a tenant is not told ClickHouse's words", async () => {
  await rowsOf(
    stack.clickhouse.url,
    `INSERT INTO ${DATABASE}.attempts (tenant_id, endpoint_id, delivery_id, attempt_number, status, received_at, started_at)
    SELECT 'big', 'ep_big', toString(number), 1, 'delivered', now(), now() FROM numbers(200000)`,
  );
  const small = await startReadServer({
    url: stack.clickhouse.url,
    database: DATABASE,
    tenants: accessOf("small"),
  });

  const { status, body } = await small.ask("/v1/series", { tenantId: "big" });

  await small.stop();
  expect([status, small.log.of("tenants.notServed")]).toEqual([400, []]);
  expect(body.errors).toMatchObject([
    { field: "since", rule: "clickhouse_158" },
  ]);
  expect(body.detail).not.toMatch(/limit|rows|small/i);
  expect(small.log.of("tenant.queryFailed")).toMatchObject([
    { fields: { code: "158" } },
  ]);
});

test("while ClickHouse does not answer, a tenant is not told where it is", async () => {
  const away = await startReadServer({
    url: stack.clickhouse.url,
    database: DATABASE,
    tenants: {
      url: "http://127.0.0.1:9",
      auth: () => ({ username: "tenant", password: "secret" }),
    },
  });

  const { status, body } = await away.ask("/v1/deliveries", {
    tenantId: "acme",
  });

  await away.stop();
  expect(status).toBe(503);
  expect(body.detail).not.toMatch(/127\.0\.0\.1|ECONN/);
});

test("two hundred questions of one tenant at the same time leave the others theirs", async () => {
  const many = Array.from({ length: 200 }, () =>
    server.ask(`/v1/series?${WINDOW}&by=endpointId`, { tenantId: "acme" }),
  );
  const other = await server.ask(`/v1/series?${WINDOW}`, {
    tenantId: "globex",
  });
  const answers = await Promise.all(many);

  const refused = answers.filter(({ status }) => status !== 200);
  expect(other.status).toBe(200);
  expect(answers.length).toBeGreaterThan(refused.length);
  for (const { status, body } of refused)
    expect([status, body.type]).toEqual([
      503,
      expect.stringContaining("too-many-queries"),
    ]);
});

test.each(["postrider_tenant", "tenant-of `control`"])(
  "ClickHouse can read every statement that makes the user %s",
  async (user) => {
    for (const statement of tenantUserStatements({
      database: "postrider",
      user,
    })) {
      const [row] = await rowsOf<{ sql: string }>(
        stack.clickhouse.url,
        "SELECT formatQuery({statement:String}) AS sql",
        { statement },
      );
      expect(row?.sql).toBeTruthy();
    }
  },
);
