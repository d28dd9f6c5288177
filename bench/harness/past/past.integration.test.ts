/** The made-up past agrees with itself, in every table, and every question of the bench `queries` has an answer in it. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { rowsOf, seededRandom, useStack } from "@postrider/testkit";
import { createWriter } from "../../../services/recorder/src/clickhouse/writer.ts";
import { migrate } from "../../../services/recorder/src/migrate/migrate.ts";
import { readMigrations } from "../../../services/recorder/src/migrate/migration-files.ts";
import {
  startReadServer,
  type ReadServer,
} from "../../../tests/reads/read-server.ts";
import { ask, type Get } from "../asked/ask.ts";
import { endpointsIn, knownOf, SCOPES, type Known } from "../asked/known.ts";
import { listQuestions } from "../asked/list-questions.ts";
import {
  savedQuestions,
  seriesQuestions,
  timelineQuestions,
  type Saved,
} from "../asked/other-questions.ts";
import { extendPast, fillPast } from "./fill-past.ts";
import type { PastSize } from "./size.ts";

const stack = useStack();
const ENDS_AT = Date.now() - 60_000;
const ATTEMPTS = 100_000;
const TENANTS = 10;
let past: PastSize;
let server: ReadServer;
let known: Known;

beforeAll(async () => {
  const { clickhouseUrl: url, database } = stack;
  const writer = createWriter({ url, database });
  await migrate({ sql: writer, database, migrations: readMigrations() });
  await writer.close();
  past = await fillPast({
    url,
    database,
    attempts: ATTEMPTS,
    tenants: TENANTS,
    endpoints: 200,
    endsAt: ENDS_AT,
    say: () => undefined,
  });
  await extendPast({ url, database }, past, ENDS_AT + 60_000);
  const endpoints = await endpointsIn({ url, database });
  server = await startReadServer({ url, database, endpoints });
  known = await knownOf({ url, database }, seededRandom(1));
}, 400_000);
afterAll(() => server?.stop());

async function one(sql: string): Promise<Readonly<Record<string, unknown>>> {
  const from = (name: string) => `${stack.database}.${name}`;
  const placed = sql.replaceAll(
    /\b(FROM|JOIN) (\w+)/g,
    (_, word: string, name: string) => `${word} ${from(name)}`,
  );
  const [row] = await rowsOf<Record<string, unknown>>(
    stack.clickhouseUrl,
    `${placed} SETTINGS output_format_json_quote_64bit_integers = 0`,
  );
  return row!;
}

test("it has about as many attempts as were asked for, of all tenants, the biggest with its share, over 29 days", async () => {
  const of = await one(
    "SELECT countIf(attempt_number > 0) AS attempts, uniqExact(tenant_id) AS tenants, round(avg(tenant_id = 'tenant_000'), 1) AS share, round(dateDiff('hour', min(received_at), max(received_at)) / 24) AS days FROM attempts",
  );

  expect(of).toEqual({
    attempts: expect.any(Number),
    tenants: TENANTS,
    share: 0.3,
    days: 29,
  });
  expect(Number(of["attempts"]) / ATTEMPTS).toBeCloseTo(1, 1);
});

test("each event is there once, and each of its deliveries", async () => {
  const events = await one(
    "SELECT count() AS rows, uniqExact(source_partition, source_offset) AS events, sum(length(delivery_ids)) AS deliveries FROM events",
  );
  const deliveries = await one(
    "SELECT count() AS deliveries, uniqExact(delivery_id) AS ids FROM deliveries FINAL",
  );

  expect(events["rows"]).toBe(events["events"]);
  expect(Number(events["rows"])).toBeGreaterThan(past.events);
  expect(deliveries).toEqual({
    deliveries: events["deliveries"],
    ids: events["deliveries"],
  });
});

test("an attempt is of a delivery that its event made, with the same endpoint, tenant and time", async () => {
  const of = await one(
    `SELECT countIf(made.id = '') AS strays, countIf((made.tenant_id, made.endpoint_id, made.event_id, made.received_at) != (a.tenant_id, a.endpoint_id, a.event_id, a.received_at)) AS others, countIf(a.started_at < a.received_at) AS early
FROM attempts AS a
LEFT JOIN (
  SELECT tenant_id, event_id, received_at, arrayJoin(arrayZip(delivery_ids, endpoint_ids)) AS pair, pair.1 AS id, pair.2 AS endpoint_id FROM events
) AS made ON made.id = a.delivery_id`,
  );

  expect(of).toEqual({ strays: 0, others: 0, early: 0 });
});

test("a delivery stands as its last attempt left it", async () => {
  const of = await one(
    `SELECT count() AS checked, countIf(d.status != a.last_status) AS wrong, countIf(d.attempts != a.last_number) AS miscounted
FROM deliveries AS d FINAL
INNER JOIN (
  SELECT delivery_id, argMax(status, step) AS last_status, argMax(attempt_number, step) AS last_number FROM attempts WHERE attempt_number > 0 GROUP BY delivery_id
) AS a ON a.delivery_id = d.delivery_id`,
  );

  expect(of).toMatchObject({ wrong: 0, miscounted: 0 });
  expect(Number(of["checked"])).toBeGreaterThan(ATTEMPTS / 2);
});

test("what was given up has its dead letter, and nothing else has", async () => {
  const letters = await one(
    "SELECT countIf(reason = 'paused') AS parked, countIf(delivery_id != '' AND reason != 'paused') AS given_up, uniqExact(reason) AS reasons FROM dead_letters",
  );
  const deliveries = await one(
    "SELECT countIf(dead_letter_reason = 'paused') AS parked, countIf(status = 'expired') AS given_up, 5 AS reasons FROM deliveries FINAL",
  );

  expect(letters).toEqual(deliveries);
});

test("the roll-ups have counted every attempt", async () => {
  const of = await one(
    "SELECT countIf(attempt_number > 0) AS attempts, countIf(outcome = 'delivered') AS delivered FROM attempts",
  );

  for (const table of ["endpoint_hour", "tenant_minute"])
    expect(
      await one(
        `SELECT sum(r.attempts) AS attempts, sum(r.delivered) AS delivered FROM ${table} AS r`,
      ),
    ).toEqual(of);
});

test("there are retries, deferrals of both kinds, repeated requests, signals and changes", async () => {
  const of = await one(
    "SELECT countIf(attempt_number > 1) > 500 AS retries, countIf(deferral_reason = 'rate_limited') > 500 AS put_off, countIf(deferral_reason = 'breaker_open' AND last_attempt_number = 3) > 100 AS open, count() > uniqExact(delivery_id, step) AS repeats FROM attempts",
  );

  expect(of).toEqual({ retries: 1, put_off: 1, open: 1, repeats: 1 });
  for (const table of ["signals", "audit"])
    expect((await one(`SELECT count() AS n FROM ${table}`))["n"]).not.toBe(0);
});

/** All tenants' key asks for the tenant by name: this stack has no user for tenants. */
const get: Get = async (path, tenantId) => {
  const name = path.startsWith("/v1/queries/") ? "tenant" : "tenantId";
  const url = new URL(path, "http://control");
  if (tenantId !== null) url.searchParams.set(name, tenantId);
  const { status, body } = await server.ask<unknown>(
    `${url.pathname}${url.search}`,
  );
  return { status, text: JSON.stringify(body) };
};

test.each(SCOPES)(
  "every question for %s has an answer",
  async (scope) => {
    const random = seededRandom(2);
    const { body } = await server.ask<{ readonly queries: readonly Saved[] }>(
      "/v1/queries",
    );
    const questions = [
      ...listQuestions(known, scope, random),
      ...timelineQuestions(known, scope, random),
      ...seriesQuestions(known, scope, random),
      ...savedQuestions(body.queries, known, scope, random),
    ];

    const empty: string[] = [];
    for (const question of questions)
      await ask({ ...question, pages: 1 }, known, get).catch((error: unknown) =>
        empty.push(String(error)),
      );

    expect(empty).toEqual([]);
  },
  400_000,
);

test("a question with an empty answer is an error, unless nothing said that there is one", async () => {
  const question = {
    group: "lists",
    name: "nobody's",
    scope: "all",
    path: "/v1/deliveries?tenantId=nobody&since=1d",
    field: "deliveries",
    mayBeEmpty: false,
    pages: 1,
  } as const;

  await expect(ask(question, known, get)).rejects.toThrow(/has no rows/);
  expect(await ask({ ...question, mayBeEmpty: true }, known, get)).toHaveLength(
    1,
  );
});
