/** What the API reads from a real ClickHouse, over real HTTP, from tables that the recorder's own migrations made. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  execute,
  rowsOf,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { migrateFor } from "../fixtures/migrated.ts";
import { documentedAnswers } from "@postrider/testkit/documented-answers";
import { eventRoutes } from "./reads/event-routes.ts";
import type { EventView } from "./reads/event-view.ts";
import {
  KnownKeys,
  type ApiServer,
  type ProblemDocument,
} from "@postrider/http";
import {
  HARMLESS_TABLE_FUNCTIONS,
  isRefusedTableFunction,
} from "./reads/query-guard.ts";
import { queryRoutes } from "./reads/query-routes.ts";
import { createReader } from "./reads/reader.ts";
import { createServer } from "./http/server.ts";

const stack = useStack();
const KEY = "an-admin-key-of-the-test";
const AT = Date.now() - 60_000;
let server: ApiServer;

beforeAll(async () => {
  await migrateFor(stack);
  server = await startServer({ queryTimeoutMs: 60_000 });
});

const open: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of open.toReversed()) await stop();
});

async function startServer(options: {
  readonly queryTimeoutMs: number;
}): Promise<ApiServer> {
  const effects = testEffects();
  const reader = createReader({
    ...effects,
    ...options,
    url: stack.clickhouseUrl,
    database: stack.database,
  });
  const started = createServer({
    ...effects,
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [eventRoutes(reader), queryRoutes(reader, effects.clock)],
  });
  open.push(
    () => reader.stop(0),
    () => started.stop(0),
  );
  await reader.start();
  await started.start();
  return started;
}

/** The time `ms` milliseconds after AT, in the form that ClickHouse reads. */
function time(ms: number): string {
  return new Date(AT + ms).toISOString().replace("T", " ").replace("Z", "");
}

async function insert(
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.${table} SETTINGS async_insert=0, input_format_skip_unknown_fields=0 FORMAT JSONEachRow\n${lines}`,
  );
}

function anEventRow(row: Readonly<Record<string, unknown>>) {
  return {
    tenant_id: "acme",
    event_type: "order.paid",
    received_at: time(0),
    decided_at: time(1),
    decision: "routed",
    source_topic: "postrider.events",
    part: 0,
    parts: 1,
    ...row,
  };
}

function anAttemptRow(row: Readonly<Record<string, unknown>>) {
  return {
    tenant_id: "acme",
    endpoint_id: "ep_1",
    event_type: "order.paid",
    trigger: "first",
    received_at: time(0),
    status: "failed",
    outcome: "http_error",
    ...row,
  };
}

async function ask<T>(
  path: string,
  body?: unknown,
  of = server,
): Promise<{ status: number; body: T; text: string }> {
  const method = body === undefined ? "GET" : "POST";
  const answer = await fetch(`${of.url()}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const { status } = answer;
  const contentType = answer.headers.get("content-type");
  const check = documentedAnswers(of.document());
  check({ method, path, status, contentType, text });
  return { status, body: JSON.parse(text) as T, text };
}

interface Answer extends ProblemDocument {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: boolean;
  readonly elapsedMs: number;
}
const query = (sql: string, of = server) =>
  ask<Answer>("/v1/query", { sql }, of);

test("an event shows its decision, its deliveries and their attempts, without deferrals", async () => {
  const ids = {
    event_id: "evt.1/a",
    delivery_ids: ["dlv_1", "dlv_2"],
    endpoint_ids: ["ep_1", "ep_2"],
  };
  const of = { event_id: ids.event_id, delivery_id: "dlv_1" };
  await insert("events", [
    anEventRow({ ...ids, occurred_at: time(-5), reason: "" }),
    anEventRow({
      event_id: ids.event_id,
      decision: "duplicate",
      received_at: time(9),
      source_offset: 9,
    }),
  ]);
  await insert("attempts", [
    anAttemptRow({
      ...of,
      attempt_number: 1,
      step: 0,
      started_at: time(10),
      status_code: 500,
      duration_ms: 12,
      error: "HTTP 500",
      next_attempt_at: time(1010),
    }),
    anAttemptRow({
      ...of,
      attempt_number: 0,
      step: 1,
      started_at: time(1010),
      outcome: "",
      trigger: "retry",
      deferral_reason: "breaker_open",
      next_attempt_at: time(5000),
    }),
  ]);

  const path = `/v1/events/${encodeURIComponent(ids.event_id)}`;
  const { status, body } = await ask<EventView>(path);

  expect(status).toBe(200);
  const at = (ms: number): string => new Date(AT + ms).toISOString();
  expect(body).toEqual({
    id: "evt.1/a",
    type: "order.paid",
    tenantId: "acme",
    occurredAt: at(-5),
    receivedAt: at(0),
    decision: "routed",
    reason: null,
    deliveries: [
      {
        id: "dlv_1",
        endpointId: "ep_1",
        status: "failed",
        attempts: [
          {
            attemptNumber: 1,
            startedAt: at(10),
            outcome: "http_error",
            statusCode: 500,
            durationMs: 12,
            trigger: "first",
            error: "HTTP 500",
          },
        ],
        attemptCount: 1,
        nextAttemptAt: at(5000),
        deferralReason: "breaker_open",
        deadLetterReason: null,
      },
      {
        id: "dlv_2",
        endpointId: "ep_2",
        status: "pending",
        attempts: [],
        attemptCount: 0,
        nextAttemptAt: null,
        deferralReason: null,
        deadLetterReason: null,
      },
    ],
    truncated: false,
  });
});

test("a delivery that was given up is expired and says why", async () => {
  const event = { event_id: "evt-dead" };
  await insert("events", [
    anEventRow({ ...event, delivery_ids: ["dlv_d"], endpoint_ids: ["ep_1"] }),
  ]);
  await insert("dead_letters", [
    {
      tenant_id: "acme",
      endpoint_id: "ep_1",
      delivery_id: "dlv_d",
      ...event,
      received_at: time(0),
      dead_at: time(100),
      reason: "exhausted",
      attempts: 5,
      step: 5,
    },
  ]);

  const { body } = await ask<EventView>("/v1/events/evt-dead");

  expect(body.deliveries).toMatchObject([
    { status: "expired", deadLetterReason: "exhausted", nextAttemptAt: null },
  ]);
});

test("an event id that several tenants use needs the tenant, and then only that tenant's event is shown", async () => {
  await insert("events", [
    anEventRow({ event_id: "shared", event_type: "a" }),
    anEventRow({ event_id: "shared", event_type: "b", tenant_id: "other" }),
  ]);

  const without = await ask<ProblemDocument>("/v1/events/shared");
  const other = await ask<EventView>("/v1/events/shared?tenantId=other");

  expect(without.status).toBe(409);
  expect(without.body.errors).toMatchObject([
    {
      field: "tenantId",
      message: "is required: the id is used by the tenants acme, other",
    },
  ]);
  expect(other.body).toMatchObject({ tenantId: "other", type: "b" });
});

test("an event that was not recorded is a 404, and so is another tenant's event", async () => {
  await insert("events", [anEventRow({ event_id: "theirs" })]);

  const { status, body } = await ask<ProblemDocument>("/v1/events/nothing");
  const stolen = await ask("/v1/events/theirs?tenantId=other");

  expect(status).toBe(404);
  expect(body.errors).toMatchObject([{ field: "id", rule: "exists" }]);
  expect(stolen.status).toBe(404);
});

test("a query answers columns and rows, 64-bit integers whole", async () => {
  const answer = await query(
    "SELECT toUInt64(18446744073709551615) AS big, 'a' AS text, NULL AS nothing -- all;",
  );

  expect(answer.status).toBe(200);
  expect(answer.body.columns).toEqual([
    { name: "big", type: "UInt64" },
    { name: "text", type: "String" },
    { name: "nothing", type: "Nullable(Nothing)" },
  ]);
  expect(answer.text).toMatch(
    /"rows":\[\[18446744073709551615, ?"a", ?null\]\]/,
  );
  expect(answer.body).toMatchObject({ truncated: false });
  expect(answer.body.elapsedMs).toBeGreaterThanOrEqual(0);
});

test.each([
  "SHOW TABLES",
  "DESCRIBE TABLE attempts",
  "EXISTS attempts",
  "EXPLAIN SELECT count() FROM attempts",
  "EXPLAIN PLAN indexes = 1 SELECT * FROM attempts WHERE tenant_id = 'a'",
  "EXPLAIN SYNTAX SELECT 1",
  "EXPLAIN QUERY TREE SELECT 1",
  "EXPLAIN PIPELINE SELECT 1",
])("%s works in Postrider's database", async (sql) => {
  const { text, body } = await query(sql);

  expect(text).toContain('"columns"');
  expect(body.rows.length).toBeGreaterThan(0);
});

test("rows are capped at 10,000 exactly, and the answer says so", async () => {
  const more = await query("SELECT number FROM numbers(1000000)");
  const exact = await query("SELECT number FROM numbers(10000)");

  expect(more.body.rows).toHaveLength(10_000);
  expect(more.body.truncated).toBe(true);
  expect(exact.body.rows).toHaveLength(10_000);
  expect(exact.body.truncated).toBe(false);
});

test("bytes are capped", async () => {
  const { body, text } = await query(
    "SELECT repeat('x', 100000) FROM numbers(1000)",
  );

  expect(body.truncated).toBe(true);
  expect(text.length).toBeLessThan(9 * 1024 * 1024);
});

test("ClickHouse itself ends a result that is far beyond the cap", async () => {
  const { body } = await query(
    "SELECT name, value FROM system.settings WHERE name LIKE 'max_result_%' ORDER BY name",
  );

  expect(body.rows).toEqual([
    ["max_result_bytes", String(64 * 1024 * 1024)],
    ["max_result_rows", "10001"],
  ]);
});

test("a query that takes too long is ended, and no caller can lift the cap", async () => {
  const hasty = await startServer({ queryTimeoutMs: 1_000 });

  const slow = await query("SELECT count() FROM numbers(1000000000000)", hasty);
  const lifted = await query(
    "SELECT count() FROM numbers(1000000000000) SETTINGS max_execution_time = 0",
    hasty,
  );

  expect(slow.status).toBe(400);
  expect(slow.body.detail).toContain("Timeout exceeded");
  expect(lifted.status).toBe(400);
  expect(lifted.body.errors).toMatchObject([{ rule: "settings" }]);
});

test("a subquery that is run to explain its query is ended in time", async () => {
  const hasty = await startServer({ queryTimeoutMs: 1_000 });

  const { status, body } = await query(
    "EXPLAIN SELECT (SELECT count() FROM numbers(1000000000000))",
    hasty,
  );

  expect(status).toBe(400);
  expect(body.detail).toContain("Timeout exceeded");
});

test.each([
  "max_execution_time = 0",
  "`max_memory_usage` = 7",
  '"readonly" = 0',
  "allow_introspection_functions",
  "`allow_introspection_functions`",
  "SQL_tenant = 'other'",
  "`SQL_tenant` = 'other'",
  "max_threads = DEFAULT",
])("no subquery, explained or not, changes settings by %s", async (change) => {
  const nested = `SELECT (SELECT 1 SETTINGS ${change})`;
  const from = `SELECT * FROM (SELECT 1 SETTINGS ${change})`;
  const common = `WITH a AS (SELECT 1 SETTINGS ${change}) SELECT * FROM a`;
  const explanations = ["", "SYNTAX ", "QUERY TREE ", "PLAN ", "PIPELINE "];
  const queries = [nested, from, common].flatMap((sql) => [
    sql,
    ...explanations.map((form) => `EXPLAIN ${form}${sql}`),
  ]);

  const answers = await Promise.all(
    queries.map(async (sql) => ({ sql, status: (await query(sql)).status })),
  );

  expect(answers.filter(({ status }) => status !== 400)).toEqual([]);
});

test("a caller who goes away ends the query on the server", async () => {
  const tag = "the caller goes away";
  const running = async (): Promise<boolean> => {
    const rows = await rowsOf<{ n: string }>(
      stack.clickhouseUrl,
      `SELECT toString(count()) AS n FROM system.processes WHERE query LIKE '%${tag}%' AND query NOT LIKE '%system.processes%'`,
    );
    return rows[0]?.n !== "0";
  };
  const gone = new AbortController();
  const asked = fetch(`${server.url()}/v1/query`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      sql: `SELECT count(), '${tag}' FROM numbers(1000000000000)`,
    }),
    signal: gone.signal,
  }).catch(() => "gone");
  await waitFor(running, { what: "the query to run" });

  gone.abort();

  expect(await asked).toBe("gone");
  // Long before the query's own time is over.
  await waitFor(async () => !(await running()));
});

test("ClickHouse's own message reaches the caller", async () => {
  const { status, body } = await query("SELECT nothing FROM attempts");

  expect(status).toBe(400);
  expect(body.detail).toContain("nothing");
  expect(body.errors).toMatchObject([
    { field: "sql", rule: "clickhouse_47", message: "UNKNOWN_IDENTIFIER" },
  ]);
});

test.each([
  ["INSERT INTO attempts SELECT * FROM attempts", "read_only"],
  ["SELECT 1; DROP TABLE attempts", "one_statement"],
  ["DESCRIBE url('http://127.0.0.1:1/')", "function"],
  ["SELECT * APPLY(file) FROM (SELECT '/etc/hostname')", "function"],
  ["SELECT * FROM mergeTreeIndex('x', 'attempts')", "function"],
])("%s is refused before ClickHouse sees it", async (sql, rule) => {
  const { status, body } = await query(sql);

  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ field: "sql", rule }]);
});

test("every table function of this engine is refused or known to be harmless", async () => {
  const functions = await rowsOf<{ name: string }>(
    stack.clickhouseUrl,
    "SELECT name FROM system.table_functions",
  );

  const unknown = functions
    .map(({ name }) => name)
    .filter((name) => !isRefusedTableFunction(name))
    .filter((name) => !HARMLESS_TABLE_FUNCTIONS.has(name.toLowerCase()));

  expect(functions.length).toBeGreaterThan(50);
  expect(unknown).toEqual([]);
});

test("when ClickHouse does not answer, a query is a 503 to try again, and the reachability shows it", async () => {
  const effects = testEffects();
  const away = createReader({
    ...effects,
    url: "http://user:hunter2@127.0.0.1:9",
    database: "postrider",
    queryTimeoutMs: 1_000,
  });
  await away.start();

  const fault = await away
    .query("SELECT 1", new AbortController().signal)
    .catch((error: unknown) => error);

  expect(fault).toMatchObject({ code: "clickhouse_unavailable", status: 503 });
  expect(away.reachability()).toMatchObject({ isReachable: false });
  expect(
    JSON.stringify([fault, away.reachability(), effects.log.lines]),
  ).not.toContain("hunter2");
  await away.stop(0);
});

test("a payload comes as text where it is UTF-8, else as base64, and not where it is not recorded", async () => {
  const binary = Buffer.from([0xff, 0x00, 0x41]);
  const text = '{"n":12345678901234567890,"ü":"\u202e"}';
  const payloads = {
    "pay.text": Buffer.from(text),
    "pay.binary": binary,
    "pay.none": Buffer.alloc(0),
  };
  await insertPayloads(
    Object.entries(payloads).map(([event_id, payload]) => ({
      event_id,
      content_type: "application/json",
      headers: { "x-own": "1" },
      payload_base64: payload.toString("base64"),
      payload_bytes: payload.byteLength || 7,
    })),
  );

  const answers = await Promise.all(
    Object.keys(payloads).map((id) => ask(`/v1/events/${id}/payload`)),
  );

  const common = { contentType: "application/json", headers: { "x-own": "1" } };
  expect(answers.map(({ body }) => body)).toEqual([
    {
      ...common,
      payloadBytes: Buffer.byteLength(text),
      payload: text,
      encoding: "utf8",
    },
    {
      ...common,
      payloadBytes: 3,
      payload: binary.toString("base64"),
      encoding: "base64",
    },
    { ...common, payloadBytes: 7, payload: null, encoding: "utf8" },
  ]);
});

/** A column that is only for inserts must be named. */
async function insertPayloads(
  given: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const rows = given.map(anEventRow);
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.events (${[...columns].join(", ")}) SETTINGS async_insert=0 FORMAT JSONEachRow\n${lines}`,
  );
}

test("a payload is that of the original, of one tenant, and of an event that is there", async () => {
  const row = (of: Readonly<Record<string, unknown>>, payload: string) => ({
    event_id: "pay.twice",
    payload_base64: Buffer.from(payload).toString("base64"),
    payload_bytes: payload.length,
    ...of,
  });
  await insertPayloads([
    row({ decision: "duplicate", received_at: time(-5) }, "repeat"),
    row({ received_at: time(5), source_offset: 5 }, "original"),
    row({ tenant_id: "other", source_offset: 6 }, "theirs"),
  ]);
  const path = "/v1/events/pay.twice/payload";

  const [ambiguous, own, unknown] = [
    await ask(path),
    await ask<{ payload: string }>(`${path}?tenantId=acme`),
    await ask("/v1/events/pay.never/payload"),
  ];

  expect(ambiguous.status).toBe(409);
  expect(own.body.payload).toBe("original");
  expect(unknown.status).toBe(404);
});
