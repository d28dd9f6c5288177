/** Replays on a real Kafka and a real ClickHouse: control over HTTP, with the dispatcher, the retry scheduler and the recorder as in their own processes. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { webhookIdOf, type Delivery, type Intake } from "@postrider/core";
import {
  compose as composeDispatcher,
  readDispatcherConfig,
} from "@postrider/dispatcher";
import {
  compose as composeRecorder,
  readRecorderConfig,
} from "@postrider/recorder";
import {
  compose as composeRetryScheduler,
  readRetrySchedulerConfig,
} from "@postrider/retry-scheduler";
import { topicName } from "@postrider/messaging";
import {
  composeLifecycle,
  freePorts,
  sha256Text,
  type Lifecycle,
} from "@postrider/runtime";
import {
  aDelivery,
  anIntake,
  readTopics,
  rowsOf,
  startReceiver,
  testEffects,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import { documentedAnswers } from "@postrider/testkit/documented-answers";
import {
  accessTo,
  asker,
  useControl,
  type Ask,
} from "../fixtures/running-control.ts";
import type { OpenApiDocument, ProblemDocument } from "@postrider/http";
import type { EndpointView } from "./endpoints/endpoint.ts";
import type { PreviewView, ReplayView } from "./replays/replay-view.ts";

const stack = useStack();
const TIERS = "200ms,500ms,1s";
const LONG = 120_000;
const control = useControl(stack);
const { effects, kafka, schemas, output, parts } = accessTo(stack);

let around: Lifecycle;
let receiver: Receiver;

function env(): Record<string, string> {
  return {
    ...control.env(),
    POSTRIDER_TIERS: TIERS,
    POSTRIDER_ALLOW_HTTP: "true",
    POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    POSTRIDER_RECORD_LINGER: "20ms",
  };
}

const main = (service: string): string =>
  fileURLToPath(new URL(`../../${service}/src/main.ts`, import.meta.url));

beforeAll(async () => {
  await stack.createAllTopics(
    ...TIERS.split(",").map((tier) => `retry.${tier}`),
  );
  await promisify(execFile)(process.execPath, [main("recorder"), "migrate"], {
    env: { ...process.env, ...env() },
  });
  receiver = await startReceiver({ answer: 500 });
  around = composeLifecycle(
    [
      ...parts,
      ...composeDispatcher(readDispatcherConfig(env()), testEffects()).parts,
      ...composeRetryScheduler(readRetrySchedulerConfig(env()), testEffects())
        .parts,
      ...composeRecorder(readRecorderConfig(env()), testEffects()).parts,
    ],
    effects,
  );
  await around.start();
}, LONG);
afterAll(async () => {
  await around.stop(Date.now() + 20_000);
  await receiver.close();
}, LONG);

let made = 0;

/** An endpoint at the receiver, whose path there is its own. A failed attempt is its last. */
async function anEndpoint(ask: Ask): Promise<EndpointView> {
  const { body } = await ask("POST /v1/endpoints", {
    tenantId: "acme",
    url: `${receiver.url}/e${(made += 1)}`,
    eventTypes: ["*"],
    maxAttempts: 1,
  });
  return body;
}

function deliveriesFor(
  endpoint: EndpointView,
  count: number,
  receivedAt = Date.now(),
): Delivery[] {
  return Array.from({ length: count }, (_, n) => {
    const eventId = `evt_${endpoint.id}_${n}`;
    const key = { tenantId: "acme", eventId, endpointId: endpoint.id };
    return aDelivery({
      ...key,
      deliveryId: `dlv_${endpoint.id}_${n}`,
      webhookId: webhookIdOf(sha256Text, key),
      endpointVersion: endpoint.version,
      payload: Buffer.from(`{"n":${n}}`),
      // Several have the same time, also across the end of a page.
      receivedAt: receivedAt + Math.floor(n / 7),
    });
  });
}

async function rows<T>(sql: string): Promise<T[]> {
  return await rowsOf<T>(
    stack.clickhouseUrl,
    sql.replaceAll("{db}", stack.database),
  );
}

/** What `deliveries` shows of the endpoint: how many there are of each status. */
async function statusesOf({
  id,
}: EndpointView): Promise<Record<string, number>> {
  const found = await rows<{ status: string; n: number }>(
    `SELECT status, toInt32(count()) AS n FROM {db}.deliveries FINAL WHERE endpoint_id = '${id}' GROUP BY status`,
  );
  return Object.fromEntries(found.map(({ status, n }) => [status, n]));
}

/** Sends deliveries of which the one attempt fails, and waits until they are recorded. A few: more would open the endpoint's breaker. */
async function exhaust(endpoint: EndpointView, count: number) {
  return await untilExpired(endpoint, deliveriesFor(endpoint, count));
}

/** Sends deliveries that are too old for an attempt, and waits until they are recorded. */
async function expire(endpoint: EndpointView, count: number) {
  const receivedAt = Date.now() - 80 * 3_600_000;
  return await untilExpired(
    endpoint,
    deliveriesFor(endpoint, count, receivedAt),
  );
}

async function untilExpired(
  endpoint: EndpointView,
  deliveries: readonly Delivery[],
): Promise<readonly Delivery[]> {
  await output.send(
    deliveries.map((value) => ({
      topic: "deliveries" as const,
      key: value.endpointId,
      value,
    })),
  );
  await waitFor(
    async () => (await statusesOf(endpoint))["expired"] === deliveries.length,
    { timeoutMs: 60_000, everyMs: 100, what: "all to expire" },
  );
  return deliveries;
}

function requestsTo({ url }: EndpointView) {
  const { pathname } = new URL(url);
  return receiver.requests.filter(({ path }) => path === pathname);
}

/** The webhook-ids of the requests since there were `before`. */
const idsSince = (endpoint: EndpointView, before: number) =>
  requestsTo(endpoint)
    .slice(before)
    .map(({ headers }) => headers["webhook-id"]);

async function redrive(ask: Ask, selection: object): Promise<ReplayView> {
  const preview = await ask<PreviewView>("POST /v1/replays/preview", selection);
  expect(preview.status).toBe(200);
  const { selectedAt } = preview.body;
  const { status, body } = await ask<ReplayView>("POST /v1/replays", {
    ...selection,
    selectedAt,
  });
  expect([status, body]).toEqual([201, expect.anything()]);
  return body;
}

async function untilDone(ask: Ask, { id }: ReplayView): Promise<ReplayView> {
  return await waitFor(
    async () => {
      const { body } = await ask<ReplayView>(`GET /v1/replays/${id}`);
      return body.state === "done" ? body : null;
    },
    { timeoutMs: 60_000, everyMs: 100, what: "the replay to be done" },
  );
}

async function untilSent(ask: Ask, { id }: ReplayView, count: number) {
  await waitFor(
    async () =>
      (await ask<ReplayView>(`GET /v1/replays/${id}`)).body.sent >= count,
    { timeoutMs: 60_000, everyMs: 20, what: `${count} to be sent` },
  );
}

async function untilDelivered(endpoint: EndpointView, count: number) {
  await waitFor(
    async () => (await statusesOf(endpoint))["delivered"] === count,
    { timeoutMs: 60_000, everyMs: 100, what: `${count} to be delivered` },
  );
}

test(
  "what has expired is sent again by a redrive, each once, with its webhook-id and payload; a second replay sends none of it",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    const other = await anEndpoint(ask);
    const deliveries = await exhaust(endpoint, 4);
    await exhaust(other, 1);
    receiver.answerWith(200);

    const selection = { endpointId: endpoint.id, why: "they are back" };
    const preview = await ask<PreviewView>(
      "POST /v1/replays/preview",
      selection,
    );
    expect(preview.body).toMatchObject({
      total: 4,
      toSend: 4,
      endpoints: [{ endpointId: endpoint.id, toSend: 4, lack: null }],
    });
    const done = await untilDone(ask, await redrive(ask, selection));
    await untilDelivered(endpoint, 4);

    expect(done).toMatchObject({
      total: 4,
      sent: 4,
      leftOut: {},
      detail: null,
    });
    const ids = idsSince(endpoint, 4);
    expect(ids).toHaveLength(4);
    expect(new Set(ids)).toEqual(
      new Set(deliveries.map(({ webhookId }) => webhookId)),
    );
    const bodies = requestsTo(endpoint).map(({ body }) => String(body));
    expect(new Set(bodies.slice(4)).size).toBe(4);
    expect(requestsTo(other)).toHaveLength(1);
    const triggers = await rows<{
      trigger: string;
      replay_id: string;
      n: number;
    }>(
      `SELECT trigger, replay_id, toInt32(count()) AS n FROM {db}.attempts WHERE endpoint_id = '${endpoint.id}' AND attempt_number > 0 GROUP BY trigger, replay_id ORDER BY trigger`,
    );
    expect(triggers).toEqual([
      { trigger: "first", replay_id: "", n: 4 },
      { trigger: "redrive", replay_id: done.id, n: 4 },
    ]);

    const again = await untilDone(ask, await redrive(ask, selection));
    expect(again).toMatchObject({
      total: 4,
      sent: 0,
      leftOut: { delivered: 4 },
    });
    expect(requestsTo(endpoint)).toHaveLength(8);
  },
  LONG,
);

test(
  "what fails again is redriven by the next replay, and only that",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    await exhaust(endpoint, 4);
    receiver.answerWith((_request, nth) => (nth <= 3 ? 200 : 500));

    await untilDone(ask, await redrive(ask, { endpointId: endpoint.id }));
    await waitFor(async () => {
      const { delivered, expired } = await statusesOf(endpoint);
      return delivered === 3 && expired === 5;
    });
    receiver.answerWith(200);
    const second = await redrive(ask, { endpointId: endpoint.id });

    expect(await untilDone(ask, second)).toMatchObject({
      sent: 1,
      leftOut: { delivered: 3 },
    });
    await untilDelivered(endpoint, 4);
    expect(requestsTo(endpoint)).toHaveLength(4 + 4 + 1);
  },
  LONG,
);

test(
  "a replay of several pages sends everything once",
  async () => {
    receiver.answerWith(200);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    await expire(endpoint, 1_300);

    const done = await untilDone(
      ask,
      await redrive(ask, { endpointId: endpoint.id, ratePerSecond: 10_000 }),
    );
    await untilDelivered(endpoint, 1_300);

    expect(done).toMatchObject({ total: 1_300, sent: 1_300, leftOut: {} });
    const ids = idsSince(endpoint, 0);
    expect([ids.length, new Set(ids).size]).toEqual([1_300, 1_300]);
  },
  LONG,
);

test(
  "replays of the same that are asked for at once go one after the other, and send everything once",
  async () => {
    receiver.answerWith(200);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    await expire(endpoint, 30);

    const made = await Promise.all(
      Array.from({ length: 4 }, () =>
        ask<ReplayView>("POST /v1/replays", {
          endpointId: endpoint.id,
          ratePerSecond: 30,
          confirm: true,
        }),
      ),
    );
    const done = [];
    for (const { body } of made) done.push(await untilDone(ask, body));
    await untilDelivered(endpoint, 30);

    expect(done.map(({ sent }) => sent).filter((sent) => sent > 0)).toEqual([
      30,
    ]);
    expect(requestsTo(endpoint)).toHaveLength(30);
  },
  LONG,
);

test(
  "an owner that is fenced between sending and its checkpoint goes on, and nothing is delivered twice",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    await expire(endpoint, 60);
    receiver.answerWith(200);

    const replay = await redrive(ask, {
      endpointId: endpoint.id,
      ratePerSecond: 10,
    });
    await untilSent(ask, replay, 5);
    const usurper = await kafka.fencedProducer(`${stack.prefix}control`);
    control.onEnd(() => usurper.disconnect());

    expect(await untilDone(ask, replay)).toMatchObject({
      total: 60,
      sent: 60,
      leftOut: {},
    });
    await untilDelivered(endpoint, 60);
    expect(requestsTo(endpoint)).toHaveLength(60);
  },
  LONG,
);

/** Control as a process of its own, that a test may kill. */
async function startProcess(): Promise<{ ask: Ask; child: ChildProcess }> {
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, [main("control")], {
    env: {
      ...process.env,
      ...env(),
      POSTRIDER_PORT: String(port),
      POSTRIDER_ADMIN_PORT: "0",
    },
    stdio: "ignore",
  });
  control.onEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  });
  const url = `http://127.0.0.1:${port}`;
  const document = await waitFor(
    async () =>
      (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument,
  );
  const ask = asker(url, documentedAnswers(document));
  await waitFor(async () => (await ask("GET /v1/replays")).status === 200);
  return { ask, child };
}

test(
  "a control that is killed in the middle of a replay is followed by another one, and nothing is lost or delivered twice",
  async () => {
    receiver.answerWith(500);
    const first = await startProcess();
    const endpoint = await waitFor(async () => {
      const found = await anEndpoint(first.ask);
      return found.id === undefined ? null : found;
    });
    await expire(endpoint, 80);
    receiver.answerWith(200);
    const replay = await redrive(first.ask, {
      endpointId: endpoint.id,
      ratePerSecond: 20,
    });
    await untilSent(first.ask, replay, 20);

    first.child.kill("SIGKILL");
    const { ask } = await control.start(env());

    expect(await untilDone(ask, replay)).toMatchObject({
      sent: 80,
      leftOut: {},
    });
    await untilDelivered(endpoint, 80);
    expect(requestsTo(endpoint)).toHaveLength(80);
  },
  LONG,
);

test(
  "a replay that is paused goes on where it stopped; a later one that may send the same waits for it, and after its end sends the rest",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    await expire(endpoint, 40);
    receiver.answerWith(200);
    const selection = { endpointId: endpoint.id };
    const first = await redrive(ask, { ...selection, ratePerSecond: 10 });
    await untilSent(ask, first, 5);

    const paused = await ask<ReplayView>(`POST /v1/replays/${first.id}/pause`);
    expect(paused.body).toMatchObject({ state: "paused", detail: "by hand" });
    const second = await redrive(ask, selection);
    await waitFor(async () => {
      const { body } = await ask<ReplayView>(`GET /v1/replays/${second.id}`);
      return body.detail?.includes(first.id);
    });
    await ask(`POST /v1/replays/${first.id}/resume`);
    const { sent: atPause } = paused.body;
    await untilSent(ask, first, atPause + 5);
    const cancelled = await ask<ReplayView>(
      `POST /v1/replays/${first.id}/cancel`,
    );
    expect(cancelled.body).toMatchObject({ state: "cancelled" });

    const done = await untilDone(ask, second);
    const { body } = await ask<ReplayView>(`GET /v1/replays/${first.id}`);
    expect(body.sent).toBeLessThan(40);
    expect(done.sent + body.sent).toBe(40);
    await untilDelivered(endpoint, 40);
    expect(requestsTo(endpoint)).toHaveLength(40);
    const over = await ask(`POST /v1/replays/${first.id}/resume`);
    expect(over.status).toBe(409);
  },
  LONG,
);

test(
  "what cannot be sent is told in audit: an endpoint that was disabled, one that was deleted",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start(env());
    const disabled = await anEndpoint(ask);
    const deleted = await anEndpoint(ask);
    const deliveries = [
      ...(await expire(disabled, 2)),
      ...(await expire(deleted, 1)),
    ];
    await ask(`POST /v1/endpoints/${disabled.id}/disable`);
    const { headers } = await ask(`GET /v1/endpoints/${deleted.id}`);
    await ask(`DELETE /v1/endpoints/${deleted.id}`, undefined, {
      "if-match": headers.get("etag") ?? "",
    });
    const selection = {
      deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
    };

    const preview = await ask<PreviewView>(
      "POST /v1/replays/preview",
      selection,
    );
    const done = await untilDone(ask, await redrive(ask, selection));

    const leftOut = { endpoint_disabled: 2, endpoint_deleted: 1 };
    expect(preview.body).toMatchObject({ total: 3, toSend: 0, leftOut });
    expect(done).toMatchObject({ sent: 0, leftOut });
    const facts = await auditOf(done.id);
    expect(facts.filter(({ action }) => action === "left_out")).toHaveLength(3);
    expect(facts.map(({ action }) => action)).toContain("created");
  },
  LONG,
);

async function auditOf(
  replayId: string,
): Promise<{ readonly action: string }[]> {
  const decode = schemas.decoderOf("audit");
  return (await readTopics(kafka, [`${stack.prefix}audit`])).flatMap((raw) => {
    const decoded = decode(raw);
    return decoded.kind === "decoded" && decoded.value.subjectId === replayId
      ? [decoded.value]
      : [];
  });
}

test(
  "what was delivered is sent again only where that is asked for, from the event's recorded payload",
  async () => {
    receiver.answerWith(200);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    const [delivery] = deliveriesFor(endpoint, 1);
    const intake: Intake = anIntake({
      tenantId: "acme",
      eventId: delivery!.eventId,
      receivedAt: delivery!.receivedAt,
      decidedAt: delivery!.receivedAt,
      payload: delivery!.payload,
      payloadBytes: delivery!.payload.byteLength,
      deliveries: [
        { deliveryId: delivery!.deliveryId, endpointId: endpoint.id },
      ],
    });
    await output.send([
      { topic: "intake", key: "acme", value: intake },
      { topic: "deliveries", key: endpoint.id, value: delivery! },
    ]);
    await untilDelivered(endpoint, 1);

    const selection = { deliveryIds: [delivery!.deliveryId] };
    const left = await untilDone(ask, await redrive(ask, selection));
    const sent = await untilDone(
      ask,
      await redrive(ask, { ...selection, statuses: ["delivered"] }),
    );
    await untilDelivered(endpoint, 2);

    expect(left).toMatchObject({ sent: 0, leftOut: { delivered: 1 } });
    expect(sent).toMatchObject({ sent: 1, leftOut: {} });
    const [first, again] = requestsTo(endpoint);
    expect(again?.body).toEqual(first?.body);
    expect(again?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  },
  LONG,
);

test(
  "what is selected by SQL, or by when it was given up, is judged like everything else, and what ClickHouse says against the SQL is told",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    const since = Date.now();
    await expire(endpoint, 6);
    receiver.answerWith(200);
    const sql = `SELECT delivery_id FROM deliveries WHERE endpoint_id = '${endpoint.id}' AND event_id < 'evt_${endpoint.id}_4' -- four of them`;

    const done = await untilDone(ask, await redrive(ask, { sql }));
    const again = await untilDone(ask, await redrive(ask, { sql }));
    const ofLetters = await untilDone(
      ask,
      await redrive(ask, {
        sql: `SELECT delivery_id FROM dead_letters WHERE endpoint_id = '${endpoint.id}' AND reason = 'expired' AND dead_at >= fromUnixTimestamp64Milli(${since})`,
      }),
    );
    const { id: endpointId } = endpoint;
    const lately = await untilDone(
      ask,
      await redrive(ask, { endpointId, deadSince: since }),
    );
    const before = await untilDone(
      ask,
      await redrive(ask, { endpointId, deadUntil: since }),
    );
    const wrong = await ask<ProblemDocument>("POST /v1/replays/preview", {
      sql: "SELECT nothing FROM deliveries",
    });

    expect(done).toMatchObject({ total: 4, sent: 4, leftOut: {} });
    expect(again).toMatchObject({ sent: 0, leftOut: { delivered: 4 } });
    expect(ofLetters).toMatchObject({
      total: 6,
      sent: 2,
      leftOut: { delivered: 4 },
    });
    // All of their events were received long before.
    expect(lately).toMatchObject({
      selection: { deadSince: new Date(since).toISOString() },
      total: 6,
      sent: 0,
      leftOut: { delivered: 6 },
    });
    expect(before).toMatchObject({ total: 0, sent: 0, leftOut: {} });
    expect(wrong.status).toBe(400);
    expect(wrong.body.errors).toMatchObject([{ field: "sql" }]);
  },
  LONG,
);

test(
  "a backfill sends an endpoint the events that it has no delivery of, and wants, also those that came while it was disabled",
  async () => {
    receiver.answerWith(200);
    const { ask } = await control.start(env());
    const endpoint = await anEndpoint(ask);
    const since = Date.now();
    const intakes = ["order.paid", "order.paid", "order.paid", "user.left"].map(
      (eventType, n) =>
        anIntake({
          tenantId: "acme",
          eventId: `evt_backfill_${n}`,
          eventType,
          receivedAt: since + n,
          decidedAt: since + n,
          // The first two would have been routed to it, had it not been disabled; the second one had another endpoint.
          decision: n === 1 ? "routed" : "no_match",
          disabledEndpointIds: n < 2 ? [endpoint.id] : [],
          payload: Buffer.from(`{"n":${n}}`),
          payloadBytes: 7,
          deliveries:
            n === 1
              ? [{ deliveryId: "dlv_elsewhere", endpointId: "ep_elsewhere" }]
              : [],
          sourceOffset: n,
        }),
    );
    await output.send(
      intakes.map((value) => ({
        topic: "intake" as const,
        key: "acme",
        value,
      })),
    );
    await waitFor(async () => {
      const [found] = await rows<{ n: number }>(
        "SELECT toInt32(count()) AS n FROM {db}.events WHERE startsWith(event_id, 'evt_backfill_')",
      );
      return found?.n === 4;
    });

    const selection = {
      kind: "backfill",
      endpointId: endpoint.id,
      eventTypes: ["order.*"],
      receivedSince: since,
    };
    const done = await untilDone(ask, await redrive(ask, selection));
    await untilDelivered(endpoint, 3);
    const again = await untilDone(ask, await redrive(ask, selection));

    expect(done).toMatchObject({
      kind: "backfill",
      total: 3,
      sent: 3,
      leftOut: {},
    });
    expect(again).toMatchObject({ sent: 0, leftOut: { delivered: 3 } });
    expect(
      requestsTo(endpoint)
        .map(({ body }) => String(body))
        .toSorted(),
    ).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
    const triggers = await rows<{ trigger: string }>(
      `SELECT DISTINCT trigger FROM {db}.attempts WHERE endpoint_id = '${endpoint.id}'`,
    );
    expect(triggers).toEqual([{ trigger: "replay" }]);
  },
  LONG,
);

test(
  "a replay that has finished is told to the operator once",
  async () => {
    receiver.answerWith(500);
    const { ask } = await control.start({
      ...env(),
      POSTRIDER_OPERATIONS_TENANT: "ops",
      POSTRIDER_OPERATIONS_DEAD_LETTERS: "1000000", // the tests before have left some
    });
    const endpoint = await anEndpoint(ask);
    await exhaust(endpoint, 2);
    receiver.answerWith(200);

    const done = await untilDone(
      ask,
      await redrive(ask, { endpointId: endpoint.id }),
    );

    const all = await readTopics(kafka, [topicName(stack.prefix, "events")]);
    // Breakers of the tests before may be told, too; and what is told is told at least once, with one id.
    const raws = all.filter(({ key }) => String(key).includes(".replay."));
    const ids = new Set(raws.map(({ key }) => String(key)));
    expect([...ids]).toEqual([`ops:postrider.replay.finished:${done.id}`]);
    const decoded = schemas.decoderOf("events")(raws[0]!);
    if (decoded.kind !== "decoded") throw new Error(decoded.kind);
    const payload = Buffer.from(decoded.value.payload).toString();
    expect(JSON.parse(payload)).toMatchObject({
      type: "postrider.replay.finished",
      data: { replayId: done.id, total: 2, sent: 2, leftOut: {} },
    });
    // Written with the end of the replay: a transaction that is over shows in one topic before it shows in the other.
    const signals = await waitFor(async () => {
      const found = (
        await readTopics(kafka, [topicName(stack.prefix, "signals")])
      ).flatMap((raw) => {
        const signal = schemas.decoderOf("signals")(raw);
        if (signal.kind !== "decoded") throw new Error(signal.kind);
        const { kind, detail } = signal.value;
        return kind === "replay_finished" && detail.includes(done.id)
          ? [signal.value]
          : [];
      });
      return found.length > 0 && found;
    });
    expect(signals).toMatchObject([
      { endpointId: "", detail: `${done.id} (redrive): 2 of 2 sent` },
    ]);
  },
  LONG,
);
