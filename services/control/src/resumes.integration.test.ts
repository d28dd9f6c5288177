/** Pause and resume on a real Kafka: control over HTTP, with the dispatcher and the retry scheduler as in their own processes. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { DeadLetter, Delivery } from "@postrider/core";
import {
  compose as composeDispatcher,
  readDispatcherConfig,
} from "@postrider/dispatcher";
import {
  topicName,
  type OutRecord,
  type TopicValues,
} from "@postrider/messaging";
import {
  compose as composeRetryScheduler,
  readRetrySchedulerConfig,
} from "@postrider/retry-scheduler";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  aDeadLetter,
  aDelivery,
  readTopics,
  startReceiver,
  testEffects,
  useStack,
  waitFor,
  type Receiver,
} from "@postrider/testkit";
import { accessTo, useControl, type Ask } from "../fixtures/running-control.ts";
import type { EndpointView } from "./endpoints/endpoint.ts";
import type { ResumeView } from "./resumes/resume-operations.ts";

const stack = useStack();
const TIERS = "200ms,500ms,1s";
const LONG = 120_000;
const control = useControl(stack);
const { effects, schemas, output, parts } = accessTo(stack);

let around: Lifecycle;
let receiver: Receiver;

function env(): Record<string, string> {
  return {
    ...control.env(),
    POSTRIDER_TIERS: TIERS,
    POSTRIDER_ALLOW_HTTP: "true",
    POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
  };
}

beforeAll(async () => {
  await stack.createAllTopics(
    ...TIERS.split(",").map((tier) => `retry.${tier}`),
  );
  receiver = await startReceiver({ answer: 200 });
  around = composeLifecycle(
    [
      ...parts,
      ...composeDispatcher(readDispatcherConfig(env()), testEffects()).parts,
      ...composeRetryScheduler(readRetrySchedulerConfig(env()), testEffects())
        .parts,
    ],
    effects,
  );
  await around.start();
}, LONG);
afterAll(async () => {
  await around.stop(Date.now() + 20_000);
  await receiver.close();
}, LONG);

/** `perSecond`: of the resumes. */
const startControl = (perSecond = 500) =>
  control.start({ ...env(), POSTRIDER_RESUME_RATE: String(perSecond) });

let made = 0;

/** An endpoint at the receiver; its path there is its own. */
async function aPausedEndpoint(ask: Ask): Promise<EndpointView> {
  const url = `${receiver.url}/e${(made += 1)}`;
  const { body } = await ask("POST /v1/endpoints", {
    tenantId: "acme",
    url,
    eventTypes: ["*"],
  });
  const paused = await ask(`POST /v1/endpoints/${body.id}/pause`, {
    reason: "they migrate",
  });
  expect(paused.body).toMatchObject({
    state: "paused",
    stateReason: "they migrate",
    version: 2,
  });
  return paused.body;
}

/** Deliveries as route makes them of the endpoint's version. */
function deliveriesFor(endpoint: EndpointView, count: number): Delivery[] {
  return Array.from({ length: count }, (_, n) =>
    aDelivery({
      deliveryId: `dlv_${endpoint.id}_${n}`,
      webhookId: `msg_${endpoint.id}_${n}`,
      endpointId: endpoint.id,
      endpointVersion: endpoint.version,
      receivedAt: Date.now(),
    }),
  );
}

async function send(topic: "deliveries", values: readonly Delivery[]) {
  await output.send(
    values.map((value): OutRecord => ({ topic, key: value.endpointId, value })),
  );
}

async function read<T extends keyof TopicValues>(
  name: T,
): Promise<TopicValues[T][]> {
  const topic = topicName(stack.prefix, name);
  const decode = schemas.decoderOf(name);
  return (await readTopics(stack.kafka(), [topic])).flatMap((raw) => {
    const decoded = decode(raw);
    return decoded.kind === "decoded" ? [decoded.value] : [];
  });
}

async function parkedFor(endpoint: EndpointView): Promise<DeadLetter[]> {
  return (await read("dead-letters")).filter(
    ({ endpointId, reason }) =>
      endpointId === endpoint.id && reason === "paused",
  );
}

/** Publishes to a paused endpoint, and waits until all of it is parked. */
async function park(endpoint: EndpointView, count: number): Promise<void> {
  await send("deliveries", deliveriesFor(endpoint, count));
  await waitFor(async () => (await parkedFor(endpoint)).length === count, {
    timeoutMs: 30_000,
    everyMs: 200,
  });
}

/** The webhook-ids of the requests to this endpoint, in the order of their arrival. */
function requestsTo(endpoint: EndpointView): (string | undefined)[] {
  const { pathname } = new URL(endpoint.url);
  return receiver.requests
    .filter(({ path }) => path === pathname)
    .map(({ headers }) => headers["webhook-id"]);
}

async function resumeOf(ask: Ask, { id }: EndpointView): Promise<ResumeView> {
  return (await ask<ResumeView>(`GET /v1/endpoints/${id}/resume`)).body;
}

async function untilDone(ask: Ask, endpoint: EndpointView) {
  return await waitFor(
    async () => {
      const resume = await resumeOf(ask, endpoint);
      return resume.state === "done" ? resume : null;
    },
    { timeoutMs: 60_000, everyMs: 100, what: "the resume to be done" },
  );
}

function expectEachOnce(endpoint: EndpointView, count: number): void {
  const ids = requestsTo(endpoint);
  expect(new Set(ids).size).toBe(count);
  expect(ids).toHaveLength(count);
}

test(
  "what comes while an endpoint is paused is parked, a resume delivers each once, and a second one sends nothing again",
  async () => {
    const { ask } = await startControl();
    const endpoint = await aPausedEndpoint(ask);
    const path = `/v1/endpoints/${endpoint.id}`;
    await park(endpoint, 20);
    expect(requestsTo(endpoint)).toEqual([]);
    expect(await resumeOf(ask, endpoint)).toMatchObject({ state: "parked" });

    const resumed = await ask(`POST ${path}/resume`);
    expect(resumed.body).toMatchObject({
      state: "enabled",
      stateReason: null,
      version: 3,
      resume: { state: "running", sent: 0 },
    });
    // A dispatcher that has not seen the resume yet parks what it gets.
    const [late] = deliveriesFor(endpoint, 21).slice(-1);
    const value = aDeadLetter({
      reason: "paused",
      endpointId: endpoint.id,
      delivery: { ...late!, step: 1 },
    });
    await output.send([{ topic: "dead-letters", key: endpoint.id, value }]);
    const done = await untilDone(ask, endpoint);

    expect(done).toMatchObject({ sent: 21, finishedAt: expect.any(String) });
    expect(done.read).toBe(done.total);
    await waitFor(() => requestsTo(endpoint).length >= 21);
    const again = await ask<{ resume: ResumeView }>(`POST ${path}/resume`);
    expect(again.body).toMatchObject({ version: 3, resume: { sent: 0 } });
    expect(again.body.resume.id).not.toBe(done.id);
    expect(await untilDone(ask, endpoint)).toMatchObject({ sent: 0 });
    expectEachOnce(endpoint, 21);
  },
  LONG,
);

test(
  "an owner that is fenced in the middle of a resume goes on from its checkpoint; what it sent twice is delivered once",
  async () => {
    const { ask } = await startControl(10);
    const endpoint = await aPausedEndpoint(ask);
    await park(endpoint, 60);

    await ask(`POST /v1/endpoints/${endpoint.id}/resume`);
    await waitFor(async () => (await resumeOf(ask, endpoint)).sent >= 10);
    // Its next checkpoint fails, after the chunk was sent: the chunk is sent again.
    const usurper = await stack
      .kafka()
      .fencedProducer(`${stack.prefix}control`);
    control.onEnd(() => usurper.disconnect());

    await untilDone(ask, endpoint);
    await waitFor(() => requestsTo(endpoint).length >= 60);
    expectEachOnce(endpoint, 60);
  },
  LONG,
);

test(
  "another replica goes on with the resume of an owner that stopped",
  async () => {
    const one = await startControl(10);
    const endpoint = await aPausedEndpoint(one.ask);
    await park(endpoint, 60);
    await one.ask(`POST /v1/endpoints/${endpoint.id}/resume`);
    const two = await startControl();
    await waitFor(async () => (await resumeOf(two.ask, endpoint)).sent >= 10);

    await one.stop();

    const done = await untilDone(two.ask, endpoint);
    expect(done.sent).toBeGreaterThanOrEqual(50);
    await waitFor(() => requestsTo(endpoint).length >= 60);
    expectEachOnce(endpoint, 60);
  },
  LONG,
);

test(
  "a resume that is cancelled, or ends because its endpoint is paused again, says so, and the next one sends the rest",
  async () => {
    const { ask } = await startControl(10);
    const endpoint = await aPausedEndpoint(ask);
    const path = `/v1/endpoints/${endpoint.id}`;
    await park(endpoint, 60);

    await ask(`POST ${path}/resume`);
    await waitFor(async () => (await resumeOf(ask, endpoint)).sent >= 10);
    const cancelled = await ask<ResumeView>(`DELETE ${path}/resume`);
    expect(cancelled.body).toMatchObject({
      state: "cancelled",
      detail: "by hand",
    });
    expect((await ask(`GET ${path}`)).body.state).toBe("enabled");
    const twice = await ask(`DELETE ${path}/resume`);
    expect(twice.body).toEqual(cancelled.body);

    await ask(`POST ${path}/resume`);
    await waitFor(async () => (await resumeOf(ask, endpoint)).sent >= 10);
    await ask(`POST ${path}/pause`);
    const again = await ask(`POST ${path}/pause`, { reason: "still moving" });
    expect(again.body).toMatchObject({
      state: "paused",
      stateReason: "still moving",
    });
    expect(await resumeOf(ask, endpoint)).toMatchObject({
      state: "ended",
      detail: "the endpoint was paused again",
      pausedAt: cancelled.body.pausedAt,
    });

    await ask(`POST ${path}/resume`);
    await untilDone(ask, endpoint);
    await waitFor(() => requestsTo(endpoint).length >= 60);
    expectEachOnce(endpoint, 60);
    const refused = await ask(`DELETE ${path}/resume`);
    expect(refused.status).toBe(409);
  },
  LONG,
);

test(
  "a resume is refused for what is not paused: a disabled endpoint, which is not paused either, an unknown one; one that was never paused has none",
  async () => {
    const { ask } = await startControl();
    const { body } = await ask("POST /v1/endpoints", {
      tenantId: "acme",
      url: receiver.url,
      eventTypes: ["*"],
    });
    const path = `/v1/endpoints/${body.id}`;

    const enabled = await ask(`POST ${path}/resume`);
    expect(enabled.body).toMatchObject({ version: 1, resume: null });
    expect((await ask(`GET ${path}/resume`)).status).toBe(404);
    expect((await ask(`DELETE ${path}/resume`)).status).toBe(404);
    const disabled = await ask(`POST ${path}/disable`, { reason: "gone" });
    expect(disabled.body).toMatchObject({
      state: "disabled",
      stateReason: "gone",
    });
    expect((await ask(`POST ${path}/resume`)).status).toBe(409);
    const pause = await ask(`POST ${path}/pause`, { reason: "quiet, please" });
    expect(pause).toMatchObject({
      status: 409,
      body: {
        detail: expect.stringContaining("is disabled"),
        errors: [{ field: "state", rule: "disabled" }],
      },
    });
    expect((await ask(`GET ${path}`)).body).toEqual(disabled.body);
    // By its name the state is not taken by mistake.
    const named = await ask(
      `PATCH ${path}`,
      { state: "paused" },
      { "if-match": "*" },
    );
    expect(named.body).toMatchObject({ state: "paused", version: 3 });
    expect((await ask("POST /v1/endpoints/ep_x/resume")).status).toBe(404);
  },
  LONG,
);
