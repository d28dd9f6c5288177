/** Every saved query on a real ClickHouse, through control's own routes, against answers that are calculated from the records themselves. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readFileSync, writeFileSync } from "node:fs";
import {
  KnownKeys,
  type ApiServer,
  type ProblemDocument,
} from "@postrider/http";
import {
  aDeadLetter,
  anAttempt,
  anEndpoint,
  rowsOf,
  testEffects,
  useStack,
} from "@postrider/testkit";
import {
  examplesOf,
  exampleText,
  withExamples,
} from "../scripts/cookbook-page.ts";
import {
  SAVED_QUERIES,
  savedQuery,
} from "../services/control/src/cookbook/cookbook.ts";
import type { SavedQuery } from "../services/control/src/cookbook/saved-query.ts";
import { createServer } from "../services/control/src/http/server.ts";
import { SAVED_SETTINGS } from "../services/control/src/reads/reader-settings.ts";
import { createReader } from "../services/control/src/reads/reader.ts";
import { savedQueryRoutes } from "../services/control/src/reads/saved-query-routes.ts";
import { ANSWERS, seenBy, type Scope } from "./cookbook/answers.ts";
import { dataSetFrom } from "./cookbook/data-set.ts";
import { exampleScope } from "./cookbook/example-scope.ts";
import { quantile, type Cell, type Rows } from "./cookbook/figures.ts";
import { NOISE, noiseOf } from "./cookbook/noise.ts";
import { HOUR } from "./cookbook/receivers.ts";
import { startRecorder, type Recorder } from "./cookbook/recorded.ts";
import { dataSetStart, parametersOf, scopesOf } from "./cookbook/scopes.ts";

const stack = useStack();
const KEY = "an-admin-key-of-the-test";
const data = dataSetFrom(dataSetStart(Date.now()));
const stops: (() => Promise<void>)[] = [];
let recorder: Recorder;
let server: ApiServer;
/** Control knows whose it is; of the other endpoint that is asked for it does not. */
const KNOWN = anEndpoint({ id: "ep_down", tenantId: "initech" });

beforeAll(async () => {
  recorder = await startRecorder(stack.clickhouseUrl, stack.database);
  stops.push(() => recorder.close());
  await recorder.record(data);
  const effects = testEffects();
  const reader = createReader({
    ...effects,
    url: stack.clickhouseUrl,
    database: stack.database,
    queryTimeoutMs: 60_000,
  });
  server = createServer({
    ...effects,
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [
      savedQueryRoutes({
        reader,
        clock: effects.clock,
        endpoints: new Map([[KNOWN.id, KNOWN]]),
      }),
    ],
  });
  stops.push(
    () => reader.stop(0),
    () => server.stop(0),
  );
  await server.start();
}, 120_000);
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

interface Answer extends ProblemDocument {
  readonly columns: readonly { readonly name: string }[];
  readonly rows: Rows;
  readonly truncated: boolean;
  readonly queries: readonly {
    readonly name: string;
    readonly title: string;
    readonly parameters: readonly unknown[];
  }[];
}

async function ask(path: string): Promise<{ status: number; body: Answer }> {
  const answer = await fetch(`${server.url()}${path}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  return { status: answer.status, body: (await answer.json()) as Answer };
}

const run = (query: SavedQuery, scope: Scope) =>
  ask(`/v1/queries/${query.name}?${parametersOf(query, scope).toString()}`);

const isRollUp = ({ sql }: SavedQuery): boolean =>
  /FROM (endpoint_hour|tenant_minute)/.test(sql);

const CASES = SAVED_QUERIES.flatMap((query) =>
  scopesOf(query, data).map(
    ([name, scope]) => [query.name, name, scope] as const,
  ),
);

async function expectRight(name: string, scope: Scope): Promise<void> {
  const query = savedQuery(name)!;
  const all = ANSWERS[name]!(seenBy(data, scope));
  const right = all.slice(0, scope.limit);

  const { status, body } = await run(query, scope);

  expect(status).toBe(200);
  expect(body.truncated).toBe(all.length > right.length);
  if (name !== "latency-by-day") return expect(body.rows).toEqual(right);
  const daysOf = (rows: Rows) => rows.map((row) => row.slice(0, 2));
  expect(daysOf(body.rows)).toEqual(daysOf(right));
  expectNear(body.rows, scope);
}

/** Merged digests are not exact: a percentile must be what an exact one is within two hundredths of it. */
function expectNear(rows: Rows, scope: Scope): void {
  for (const [day, , ...percentiles] of rows) {
    const { attempts: of } = seenBy(data, scope);
    const those = of.filter(
      (each) => new Date(each.startedAt).toISOString().slice(0, 10) === day,
    );
    for (const [at, level] of [0.5, 0.95, 0.99].entries()) {
      const exact = (share: number): number =>
        quantile(those, (each) => each.durationMs, share);
      expect(percentiles[at]).toBeGreaterThanOrEqual(exact(level - 0.02));
      expect(percentiles[at]).toBeLessThanOrEqual(
        exact(Math.min(level + 0.02, 0.9999)),
      );
    }
  }
}

test("every saved query has an answer of the test's own, and none is empty", () => {
  const empty = CASES.filter(
    ([name, of, scope]) =>
      of === "the second day" &&
      ANSWERS[name]!(seenBy(data, scope)).length === 0,
  );

  expect(Object.keys(ANSWERS).toSorted()).toEqual(
    SAVED_QUERIES.map(({ name }) => name).toSorted(),
  );
  expect(empty).toEqual([]);
});

test.each(["burn-rates", "first-attempt-burn-rates"])(
  "what %s is asked here has a page, a ticket and nothing for an answer",
  (name) => {
    const alerts = CASES.filter(([query]) => query === name).flatMap(
      ([, , scope]) =>
        ANSWERS[name]!(seenBy(data, scope)).map(([alert]) => alert),
    );

    expect(new Set(alerts)).toEqual(new Set(["page", "ticket", ""]));
  },
);

test.each(CASES)("%s of %s is right", async (name, _of, scope) => {
  await expectRight(name, scope);
});

const PAGES = ["cookbook", "slo"].map((name) => {
  const url = new URL(`../docs/sql/${name}.md`, import.meta.url);
  return { name, url, text: readFileSync(url, "utf8") };
});
const isWriting = process.env["COOKBOOK_EXAMPLES"] === "write";
const examples = new Map<string, string>();
afterAll(() => {
  if (isWriting)
    for (const { url, text } of PAGES)
      writeFileSync(url, withExamples(text, examples));
});

test.each(SAVED_QUERIES.map(({ name }) => name))(
  "the examples of %s in docs/sql are what it answers",
  async (name) => {
    const query = savedQuery(name)!;

    const { body } = await run(query, exampleScope(query, data));

    examples.set(name, exampleText(body, data.from));
    if (isWriting) return;
    const shown = PAGES.flatMap(({ text }) => examplesOf(text).get(name) ?? []);
    expect(shown.length).toBeGreaterThan(0);
    expect(new Set(shown)).toEqual(new Set([examples.get(name)]));
  },
);

test("the commands of docs/sql/slo.md are those of the cookbook", () => {
  const [cookbook, slo] = PAGES.map(({ text }) =>
    [...text.matchAll(/^\$ npx postrider query .*$/gm)].map(([line]) => line),
  );

  expect(slo?.length).toBeGreaterThan(3);
  expect(cookbook).toEqual(expect.arrayContaining(slo ?? []));
});

test.each(SAVED_QUERIES)(
  "$name answers with its defaults alone",
  async ({ name, parameters }) => {
    const required = Object.entries(parameters)
      .filter(([, { default: value }]) => value === null)
      .map(([parameter]) => `${parameter}=acme`);

    const { status, body } = await ask(
      `/v1/queries/${name}?${required.join("&")}`,
    );

    expect([status, body.rows?.every(Array.isArray)]).toEqual([200, true]);
  },
);

test.each([
  "error-budget",
  "error-budget-by-hour",
  "endpoint-budget",
  "burn-rates",
])("%s judges nothing that is younger than within_ms", async (name) => {
  const { status, body } = await ask(
    `/v1/queries/${name}?since=7d&within_ms=${7 * 24 * HOUR}`,
  );

  expect([status, body.rows]).toEqual([200, []]);
});

test("the list has each query with its parameters", async () => {
  const { body } = await ask("/v1/queries");

  expect(body.queries).toHaveLength(SAVED_QUERIES.length);
  expect(body.queries[0]).toMatchObject({
    name: "endpoint-health",
    title: "How does each endpoint do?",
    sql: expect.stringContaining("SELECT"),
  });
  expect(body.queries[0]?.parameters[0]).toEqual({
    name: "since",
    type: "DateTime64(3)",
    default: "1d",
    description: "from when on",
  });
});

test("an unknown name is a 404 that names the nearest", async () => {
  const { status, body } = await ask("/v1/queries/worst-endpoint");

  expect(status).toBe(404);
  expect(body.detail).toContain("worst-endpoints");
  expect(body.errors).toMatchObject([{ field: "name", rule: "exists" }]);
});

test("wrong parameters are a 400 that names each of them, and never repeats a value", async () => {
  const { status, body } = await ask(
    "/v1/queries/endpoint-log?since=hunter2&limit=0&tenantId=acme",
  );

  expect(status).toBe(400);
  expect(body.errors).toMatchObject([
    { field: "tenantId", rule: "unknown" },
    { field: "since", rule: "time" },
    { field: "limit", rule: "min" },
    { field: "endpoint", rule: "required" },
  ]);
  expect(JSON.stringify(body)).not.toContain("hunter2");
});

test("a value is a value, whatever is in it", async () => {
  const tenant = encodeURIComponent("' OR 1 = 1 --\\");

  const { status, body } = await ask(
    `/v1/queries/endpoint-health?since=7d&tenant=${tenant}`,
  );

  expect([status, body.rows]).toEqual([200, []]);
});

/** From here on each row is in the tables twice. The roll-ups count a row for each insert, so they rely on the recorder's tokens. */
const TWICE = CASES.filter(([name]) => !isRollUp(savedQuery(name)!));

test("the records are recorded once more, and the tables have each twice", async () => {
  await recorder.record(data);

  const [rows] = await rowsOf<Record<string, string>>(
    stack.clickhouseUrl,
    `SELECT toString(count()) AS n FROM ${stack.database}.attempts`,
  );
  expect(Number(rows?.["n"])).toBe(2 * data.attempts.length);
});

test.each(TWICE)(
  "%s of %s is right where each row is there twice",
  async (name, _of, scope) => {
    await expectRight(name, scope);
  },
);

const WEEK = 7 * 24 * HOUR;

test(
  "a past week of a busy tenant is recorded",
  () => recorder.record(noiseOf(data, WEEK)),
  60_000,
);

test.each(SAVED_QUERIES)(
  "$name reads nothing of another week",
  async (query) => {
    const read = await rowsRead(query, exampleScope(query, data));

    expect(read).toBeLessThan(NOISE / 2);
  },
);

test(
  "the same days of a busy tenant are recorded",
  () => recorder.record(noiseOf(data, 0)),
  60_000,
);

test.each(SAVED_QUERIES)(
  "$name of a tenant reads nothing of the others' rows",
  async (query) => {
    const scope = exampleScope(query, data);

    const read = await rowsRead(query, { ...scope, tenant: "initech" });

    expect(read).toBeLessThan(NOISE / 2);
  },
);

const WITHOUT_REPLAYS = [
  "error-budget",
  "error-budget-by-hour",
  "endpoint-budget",
  "first-attempt-budget",
  "burn-rates",
  "first-attempt-burn-rates",
  "time-to-success",
  "first-attempts",
];

test("replays change nothing of the service levels: what they repeat counts, once", async () => {
  const receivedAt = data.until - 2 * HOUR;
  const of = { tenantId: "replayed", receivedAt, attemptNumber: 1 };
  const inTime = anAttempt({
    ...of,
    deliveryId: "dlv_in_time",
    startedAt: receivedAt,
  });
  const givenUp = anAttempt({
    ...of,
    deliveryId: "dlv_given_up",
    startedAt: receivedAt + 1,
    outcome: "http_error",
    status: "expired",
    disposition: "dead_letter",
    deadLetterReason: "exhausted",
  });
  const replayed = {
    trigger: "redrive",
    replayId: "rpl_1",
    startedAt: receivedAt + HOUR,
  };
  const path = `since=${new Date(data.from).toISOString()}&tenant=replayed`;
  const answers = () =>
    Promise.all(
      WITHOUT_REPLAYS.map(
        async (name) => (await ask(`/v1/queries/${name}?${path}`)).body.rows,
      ),
    );
  await recorder.record({ attempts: [inTime, givenUp] });
  const before = await answers();

  await recorder.record({
    attempts: [
      { ...inTime, ...replayed, deliveryId: "dlv_sent_again" },
      { ...givenUp, ...replayed, deliveryId: "dlv_given_up_again" },
    ],
  });

  const after = await answers();
  expect(before.filter((rows) => rows.length === 0)).toEqual([]);
  expect(after).toEqual(before);
});

test("a group of dead letters has as many open ones as were not delivered since", async () => {
  const receivedAt = data.until - 2 * HOUR;
  const of = (eventId: string) => ({
    tenantId: "again",
    endpointId: "ep_again",
    eventId,
    receivedAt,
  });
  const letter = (eventId: string) =>
    aDeadLetter({
      ...of(eventId),
      deliveryId: `dlv_${eventId}`,
      deadAt: receivedAt + HOUR,
      reason: "exhausted",
      lastOutcome: "timeout",
      lastStatusCode: null,
    });
  const path = `since=${new Date(receivedAt + HOUR).toISOString()}&tenant=again`;
  const groups = async () =>
    (await ask(`/v1/queries/dead-letter-groups?${path}`)).body.rows.map((row) =>
      row.slice(1, 6),
    );
  await recorder.record({ deadLetters: [letter("a"), letter("b")] });
  expect(await groups()).toEqual([["ep_again", "exhausted", null, 2, 2]]);

  await recorder.record({
    attempts: [
      anAttempt({
        ...of("a"),
        deliveryId: "dlv_sent_again",
        startedAt: receivedAt + 1.5 * HOUR,
        trigger: "redrive",
        replayId: "rpl_1",
      }),
    ],
  });

  expect(await groups()).toEqual([["ep_again", "exhausted", null, 2, 1]]);
});

/** What ClickHouse says that it read. */
async function rowsRead(query: SavedQuery, scope: Scope): Promise<number> {
  const parameters = new URLSearchParams({
    database: stack.database,
    wait_end_of_query: "1",
  });
  for (const [name, value] of Object.entries(SAVED_SETTINGS))
    parameters.set(name, String(value));
  for (const name of Object.keys(query.parameters)) {
    const value: Cell = scope[name as keyof Scope]; // the parameters are fields of a scope
    const isTime = name === "since" || name === "until";
    parameters.set(
      `param_${name}`,
      isTime ? (Number(value) / 1000).toFixed(3) : String(value),
    );
  }
  const answer = await fetch(
    `${stack.clickhouseUrl}/?${parameters.toString()}`,
    {
      method: "POST",
      headers: { connection: "close" },
      body: query.sql,
    },
  );
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  const summary = JSON.parse(
    answer.headers.get("x-clickhouse-summary") ?? "{}",
  ) as { read_rows: string };
  return Number(summary.read_rows);
}
