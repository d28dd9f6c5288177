/** Why nobody got an event: its explanation, of events that go through all services as processes, on a real Kafka and a real ClickHouse. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import {
  startReceiver,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import type { Explanation } from "../services/control/src/reads/explain/explanation.ts";

const TIERS = "1s,2s,1h";
const PATIENCE_MS = 60_000;
const LONG = 150_000;

const stack = useStack();
const { clickhouseUrl, database } = stack;
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-explain-"));
let running: RunningServices | undefined;
let receiver: Receiver;
let endpointCount = 0;

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  await migrate({ url: clickhouseUrl, database });
  receiver = await startReceiver({
    answer: ({ path }) => (path.startsWith("/refuses") ? 404 : 204),
  });
  running = await startServices({
    ...stack.forServices,
    ...newKeys(),
    adminKey: "admin",
    logDirectory,
    readyTimeoutMs: 120_000,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    },
  });
}, 200_000);
afterAll(async () => {
  await running?.stop();
  await receiver?.close();
  rmSync(logDirectory, { recursive: true, force: true });
});

async function call<T = { id: string }>(
  what: string,
  body?: unknown,
): Promise<{ status: number; answer: T }> {
  const [method = "GET", path = ""] = what.split(" ");
  const isDoor = what === "POST /v1/events";
  const url = isDoor ? running?.ingestUrl : running?.controlUrl;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: "Bearer admin",
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, answer: (await response.json()) as T };
}

/** An endpoint, once route knows it. */
async function anEndpoint(
  tenantId: string,
  fields: Record<string, unknown> = {},
): Promise<string> {
  const made = await call("POST /v1/endpoints", {
    tenantId,
    url: receiver.url,
    eventTypes: ["order.*"],
    ...fields,
  });
  expect(made).toMatchObject({ status: 201 });
  endpointCount += 1;
  await waitFor(
    async () => {
      const page = await (await fetch(`${ingest()}/metrics`)).text();
      const entries = /^postrider_table_entries\{.*endpoints".*\} (\d+)$/m;
      return Number(entries.exec(page)?.[1]) >= endpointCount;
    },
    { what: "route to know the endpoint", timeoutMs: PATIENCE_MS },
  );
  return made.answer.id;
}

const ingest = (): string =>
  running?.services.find(({ name }) => name === "ingest")?.adminUrl ?? "";

async function publish(
  tenantId: string,
  { id = randomUUID() as string, type = "order.paid", payload = {} } = {},
): Promise<string> {
  const published = await call("POST /v1/events", {
    id,
    type,
    tenantId,
    payload,
  });
  expect(published).toMatchObject({ status: 202 });
  return id;
}

/** The explanation once it is as it is to be. */
async function explained(
  id: string,
  isSo: (found: Explanation) => boolean,
): Promise<Explanation> {
  return await waitFor(
    async () => {
      const { status, answer } = await call<Explanation>(
        `GET /v1/events/${encodeURIComponent(id)}/explain`,
      );
      return status === 200 && isSo(answer) ? answer : undefined;
    },
    {
      what: `event ${id} to be explained`,
      everyMs: 200,
      timeoutMs: PATIENCE_MS,
    },
  );
}

const actionsOf = ({ next }: Explanation): string[] =>
  next.map(({ action }) => action);

test(
  "an event that one endpoint got, one could not take and one gets later",
  async () => {
    const tenantId = "several";
    const gets = await anEndpoint(tenantId);
    const refuses = await anEndpoint(tenantId, {
      url: `${receiver.url}/refuses`,
      notRetryableStatuses: [404],
    });
    const late = await anEndpoint(tenantId, {
      rateLimit: { perSecond: 0.001, burst: 1 },
    });
    await explained(
      await publish(tenantId),
      ({ sent }) => sent.delivered === 2 && sent.givenUp === 1,
    );

    const found = await explained(
      await publish(tenantId),
      ({ deliveries }) =>
        deliveries.some(({ waitsFor }) => waitsFor === "deferral") &&
        deliveries.some(({ status }) => status === "delivered") &&
        deliveries.some(({ deadLetter }) => deadLetter?.place != null),
    );

    expect(found).toMatchObject({
      verdict: "partly_delivered",
      arrival: {
        decision: "routed",
        source: { kind: "events", topic: `${stack.prefix}events` },
      },
      sent: { endpoints: 3, delivered: 1, waiting: 1, givenUp: 1 },
      notNamed: { endpoints: [] },
    });
    expect(found.deliveries).toMatchObject([
      {
        endpoint: { id: late, rateLimit: { perSecond: 0.001, burst: 1 } },
        waitsFor: "deferral",
        deferralReason: "rate_limited",
        isOverdue: false,
      },
      {
        endpoint: { id: refuses, url: `${receiver.url}/refuses` },
        status: "expired",
        attempts: 1,
        outcomes: [{ outcome: "http_error", statusCode: 404, count: 1 }],
        deadLetter: {
          reason: "exhausted",
          place: { partition: expect.any(Number) },
        },
      },
      { endpoint: { id: gets }, status: "delivered", next: [] },
    ]);
    expect(found.next).toEqual([
      {
        action: "redrive_delivery",
        endpointId: refuses,
        deliveryId: found.deliveries[1]?.id,
      },
    ]);
  },
  LONG,
);

test(
  "an event for a paused and a disabled endpoint, and one that does not want it",
  async () => {
    const tenantId = "stopped";
    const paused = await anEndpoint(tenantId);
    const disabled = await anEndpoint(tenantId);
    const other = await anEndpoint(tenantId, { eventTypes: ["invoice.*"] });
    await call(`POST /v1/endpoints/${paused}/pause`, { reason: "they move" });
    await call(`POST /v1/endpoints/${disabled}/disable`);
    // Until route and deliver have read it.
    const found = await waitFor(
      async () => {
        const id = await publish(tenantId);
        const one = await explained(
          id,
          ({ sent }) => sent.delivered + sent.parked > 0,
        );
        const isSeen = one.verdict === "parked" && one.disabled.count === 1;
        return isSeen ? one : undefined;
      },
      { what: "the states to be known", timeoutMs: PATIENCE_MS },
    );

    expect(found).toMatchObject({
      paused: { count: 1, endpoints: [{ id: paused, state: "paused" }] },
      disabled: { count: 1, endpoints: [{ id: disabled, state: "disabled" }] },
      notNamed: {
        countThen: 1,
        byReason: { event_types: 1 },
        endpoints: [{ id: other, wantsItNow: false }],
      },
      deliveries: [{ waitsFor: "resume", deadLetter: { reason: "paused" } }],
    });
    expect(actionsOf(found)).toEqual([
      "resume_endpoint",
      "enable_endpoint",
      "backfill_endpoint",
    ]);
  },
  LONG,
);

test(
  "an event that nobody wanted, and then an endpoint that does",
  async () => {
    const tenantId = "unwanted";
    const id = await publish(tenantId);
    const before = await explained(id, ({ verdict }) => verdict === "nobody");
    const endpointId = await anEndpoint(tenantId);

    const after = await explained(id, () => true);

    expect(before).toMatchObject({ arrival: { decision: "no_match" } });
    expect(actionsOf(before)).toEqual(["create_endpoint"]);
    expect(after.notNamed?.byReason).toMatchObject({ created_later: 1 });
    expect(after.next).toEqual([
      { action: "backfill_endpoint", endpointId, deliveryId: null },
    ]);
  },
  LONG,
);

test(
  "an event that a filter leaves out, and for which another filter fails",
  async () => {
    const tenantId = "filtered";
    const isFalse = await anEndpoint(tenantId, {
      filter: "payload.total > 100",
    });
    const fails = await anEndpoint(tenantId, {
      filter: 'payload.customer.country == "DE"',
    });
    const id = await publish(tenantId, { payload: { total: 5 } });

    const found = await explained(id, ({ verdict }) => verdict === "nobody");

    expect(found).toMatchObject({
      arrival: { decision: "filtered", field: "filter", rule: "filter_failed" },
      filtered: { count: 2 },
      deliveries: [],
    });
    const named = found.filtered.endpoints.map((one) => [one.id, one.filter]);
    expect(new Map(named as [string, string][])).toEqual(
      new Map([
        [isFalse, "payload.total > 100"],
        [fails, 'payload.customer.country == "DE"'],
      ]),
    );
    // Which of the two failed, and where.
    expect(found.arrival?.reason).toContain(`the filter of ${fails} failed: `);
    expect(found.arrival?.reason).not.toContain(isFalse);
    expect(actionsOf(found)).toEqual(["try_filter", "try_filter"]);
  },
  LONG,
);

test(
  "an event that came twice, and one that broke a rule",
  async () => {
    const tenantId = "odd";
    await anEndpoint(tenantId);
    const twice = await publish(tenantId);
    await publish(tenantId, { id: twice });
    const producer = await stack.kafka().createProducer();
    await producer.sendBatch([
      {
        topic: `${stack.prefix}events`,
        partition: 0,
        key: Buffer.from("k"),
        value: Buffer.from(
          JSON.stringify({
            id: "bad_1",
            tenantId,
            type: "no type",
            payload: 1,
          }),
        ),
      },
    ]);
    await producer.disconnect();

    const repeated = await explained(
      twice,
      ({ arrivals, verdict }) =>
        arrivals.count === 2 && verdict === "delivered",
    );
    const invalid = await explained(
      "bad_1",
      ({ deadLetter }) => deadLetter !== null,
    );

    expect(repeated.arrivals.others).toMatchObject([{ decision: "duplicate" }]);
    expect(invalid).toMatchObject({
      verdict: "turned_away",
      arrival: { decision: "invalid", field: "type" },
      deadLetter: {
        reason: "invalid",
        place: { topic: `${stack.prefix}dead-letters` },
      },
      deliveries: [],
      notNamed: null,
    });
    expect(actionsOf(invalid)).toEqual(["publish_again"]);
  },
  LONG,
);

test(
  "an event that is not recorded, is another tenant's, or is asked for by its record's key",
  async () => {
    const id = await publish("owner");
    await explained(id, () => true);
    const asked = async (path: string) => {
      const { status, answer } = await call<{
        errors: readonly { rule: string; message: string }[];
      }>(`GET /v1/events/${path}`);
      return [status, ...answer.errors.map(({ rule }) => rule)];
    };

    expect(await asked("nothing/explain")).toEqual([
      404,
      "exists",
      "not_recorded_yet",
      "kept_30_days",
    ]);
    expect(await asked(`${id}/explain?tenantId=thief`)).toEqual([
      404,
      "exists",
      "other_tenant",
      "not_recorded_yet",
      "kept_30_days",
    ]);
    expect(await asked(`owner:${id}/explain`)).toEqual([
      404,
      "exists",
      "record_key",
      "not_recorded_yet",
      "kept_30_days",
    ]);
  },
  LONG,
);
