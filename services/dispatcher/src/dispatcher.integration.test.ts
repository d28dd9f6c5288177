/** The dispatcher and the retry scheduler, composed as in their own processes, on a real broker. */
import {
  createHmac,
  createPublicKey,
  verify as verifyBytes,
} from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import {
  secretAad,
  type Attempt,
  type DeadLetter,
  type Delivery,
  type Endpoint,
  type Signal,
} from "@postrider/core";
import {
  createDeadLetterOf,
  createOutput,
  createSchemas,
  type OutRecord,
  type Output,
  type Schemas,
  type TopicValues,
} from "@postrider/messaging";
import {
  compose as composeRetryScheduler,
  readRetrySchedulerConfig,
} from "@postrider/retry-scheduler";
import {
  composeLifecycle,
  createKeyRing,
  systemClock,
  type Effects,
  type Lifecycle,
} from "@postrider/runtime";
import { verify } from "@postrider/signing";
import {
  aDelivery,
  anEndpoint,
  aSealedSecret,
  followTopic,
  MISBEHAVIOUR_NAMES,
  MISBEHAVIOURS,
  startRawReceiver,
  startReceiver,
  testEffects,
  useStack,
  waitFor,
  type RawReceiver,
  type Receiver,
  type ReceiverOptions,
} from "@postrider/testkit";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { compose } from "./compose.ts";
import { readDispatcherConfig } from "./config.ts";

const stack = useStack();
const KEY = Buffer.alloc(32, 9);
const keyRing = createKeyRing([{ kid: "k1", key: KEY }]);
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/** The key pair of the specification's example. */
const ED25519 =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const TIERS = "50ms,100ms,300ms,1s,300s";
const effects = testEffects();

const running: Lifecycle[] = [];
const receivers: (Receiver | RawReceiver)[] = [];
let schemas: Schemas;
let output: Output;
let attempts: Attempt[];
let deadLetters: DeadLetter[];
let signals: Signal[];
let retryScheduler: Lifecycle;
let ids = 0;

beforeAll(async () => {
  await stack.createAllTopics(
    ...TIERS.split(",").map((tier) => `retry.${tier}`),
  );
  const kafka = stack.kafka();
  const base = { kafka, prefix: stack.prefix, ...effects };
  schemas = createSchemas({
    ...base,
    sessionTimeoutMs: stack.sessionTimeoutMs,
  });
  await start(schemas);
  output = createOutput({
    ...effects,
    kafka,
    prefix: stack.prefix,
    encode: (record) => schemas.encode(record),
    deadLetterOf: createDeadLetterOf({ stage: "test", clock: systemClock }),
  });
  await start(output);
  [attempts, deadLetters, signals] = await Promise.all([
    follow("attempts"),
    follow("dead-letters"),
    follow("signals"),
  ]);
  retryScheduler = aRetryScheduler();
  await start(retryScheduler);
});

afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});

afterAll(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 10_000);
});

async function start(part: Lifecycle): Promise<void> {
  running.push(part);
  await part.start();
}

const env = (): Record<string, string> => ({
  KAFKA_BROKERS: stack.brokers.join(","),
  POSTRIDER_TOPIC_PREFIX: stack.prefix,
  POSTRIDER_TIERS: TIERS,
  POSTRIDER_ALLOW_HTTP: "true",
  POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
  POSTRIDER_ENCRYPTION_KEYS: `k1:${KEY.toString("base64")}`,
  POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
  POSTRIDER_UNKNOWN_SCHEMA_WAIT: "1s",
});

function aDispatcher(
  over: Record<string, string> = {},
  own: Effects = testEffects(),
): Lifecycle {
  const config = readDispatcherConfig({ ...env(), ...over });
  const { parts } = compose(config, own);
  return composeLifecycle(parts, effects);
}

function aRetryScheduler(): Lifecycle {
  const { parts } = composeRetryScheduler(
    readRetrySchedulerConfig(env()),
    testEffects(),
  );
  return composeLifecycle(parts, effects);
}

/** Runs the test with its own dispatcher. */
async function withDispatcher(
  run: () => Promise<void>,
  over: Record<string, string> = {},
  own: Effects = testEffects(),
): Promise<void> {
  const dispatcher = aDispatcher(over, own);
  await dispatcher.start();
  try {
    await run();
  } finally {
    await dispatcher.stop(Date.now() + 20_000);
  }
}

/** Collects the decoded records of a topic as they arrive. */
async function follow<T extends keyof TopicValues>(
  topic: T,
): Promise<TopicValues[T][]> {
  const values: TopicValues[T][] = [];
  const decode = schemas.decoderOf(topic);
  const of = { kafka: stack.kafka(), name: topic };
  await start(
    followTopic(stack, of, (raw) => {
      const decoded = decode(raw);
      if (decoded.kind === "decoded") values.push(decoded.value);
    }),
  );
  return values;
}

async function aReceiver(options: ReceiverOptions): Promise<Receiver> {
  const receiver = await startReceiver(options);
  receivers.push(receiver);
  return receiver;
}

async function anEndpointAt(
  url: string,
  fields: Partial<Endpoint> = {},
): Promise<Endpoint> {
  const id = fields.id ?? `ep_${(ids += 1)}`;
  const { kid, ciphertext } = keyRing.seal(
    Buffer.from(SECRET),
    secretAad(fields.tenantId ?? "acme", id, "sec_1"),
  );
  const secrets = [
    { id: "sec_1", kid, ciphertext, createdAt: Date.now(), expiresAt: null },
  ];
  const endpoint = anEndpoint({
    id,
    url,
    secrets,
    retryDelaysMs: [60, 120],
    timeoutMs: 30_000,
    ...fields,
  });
  await output.send([{ topic: "endpoints", key: id, value: endpoint }]);
  return endpoint;
}

function deliveryTo(
  endpoint: Endpoint,
  fields: Partial<Delivery> = {},
): Delivery {
  const id = (ids += 1);
  return aDelivery({
    deliveryId: `dlv_${id}`,
    webhookId: `msg_${id}`,
    endpointId: endpoint.id,
    endpointVersion: endpoint.version,
    receivedAt: Date.now(),
    ...fields,
  });
}

const toDeliveries = (delivery: Delivery): OutRecord => ({
  topic: "deliveries",
  key: delivery.endpointId,
  value: delivery,
});

const deferralsOf = ({ id }: Endpoint): Attempt[] =>
  attempts.filter((one) => one.endpointId === id && one.attemptNumber === 0);

const made = (deliveryId: string): Attempt[] =>
  attempts.filter(
    (each) => each.deliveryId === deliveryId && each.attemptNumber > 0,
  );

test("a delivery to a flaky endpoint goes through the tiers until it is delivered, signed anew each time", async () => {
  const receiver = await aReceiver({ answer: [500, 503, 200] });
  const endpoint = await anEndpointAt(receiver.url);
  const delivery = deliveryTo(endpoint);

  await withDispatcher(async () => {
    await output.send([toDeliveries(delivery)]);
    await waitFor(() => made(delivery.deliveryId).length === 3);
  });

  const [first, second, third] = made(delivery.deliveryId);
  expect(
    [first, second, third].map((each) => [
      each?.attemptNumber,
      each?.statusCode,
      each?.status,
    ]),
  ).toEqual([
    [1, 500, "failed"],
    [2, 503, "failed"],
    [3, 200, "delivered"],
  ]);
  expect([first, second, third].map((each) => each?.remoteAddress)).toEqual(
    Array(3).fill(new URL(receiver.url).hostname),
  );
  expect(second?.startedAt).toBeGreaterThanOrEqual(
    first?.nextAttemptAt ?? Infinity,
  );
  expect(third?.startedAt).toBeGreaterThanOrEqual(
    second?.nextAttemptAt ?? Infinity,
  );
  expect(receiver.requests).toHaveLength(3);
  for (const request of receiver.requests) {
    expect(request.body.equals(delivery.payload)).toBe(true);
    new Webhook(SECRET).verify(request.body.toString(), request.headers);
    new SvixWebhook(SECRET).verify(request.body, request.headers);
    expect(request.headers["webhook-id"]).toBe(delivery.webhookId);
    expect(request.headers["user-agent"]).toMatch(/^Postrider\/\d/);
  }
});

test("a request with secrets of both kinds and both profiles is verified by the packages of others, each with its own secret", async () => {
  const receiver = await aReceiver({});
  const id = "ep_both";
  const secrets = [OLD_SECRET, SECRET, ED25519].map((text, at) => {
    const secretId = `sec_${at}`;
    const aad = secretAad("acme", id, secretId);
    const { kid, ciphertext } = keyRing.seal(Buffer.from(text), aad);
    return aSealedSecret({ id: secretId, kid, ciphertext });
  });
  const signing = ["standard", "hmac-hex"];
  const endpoint = await anEndpointAt(receiver.url, { id, secrets, signing });

  await withDispatcher(async () => {
    await output.send([toDeliveries(deliveryTo(endpoint))]);
    await receiver.waitForRequests(1);
  });

  const { headers, body } = receiver.requests[0]!;
  for (const secret of [OLD_SECRET, SECRET]) {
    new Webhook(secret).verify(body.toString(), headers);
    new SvixWebhook(secret).verify(body, headers);
  }
  const stranger = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
  expect(() => new SvixWebhook(stranger).verify(body, headers)).toThrow();
  expect(verify({ headers, body, secrets: [PUBLIC_KEY] }).ok).toBe(true);
  expect(isSignedByEd25519(headers, body)).toBe(true);
  const key = Buffer.from(OLD_SECRET.slice("whsec_".length), "base64");
  expect(headers["x-webhook-signature"]).toBe(
    `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
  );
});

/** Verifies the `v1a` signature by the words of the specification, without our own package. */
function isSignedByEd25519(
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): boolean {
  const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
  const signature = headers["webhook-signature"]
    ?.split(" ")
    .find((one) => one.startsWith("v1a,"));
  const x = Buffer.from(PUBLIC_KEY.slice("whpk_".length), "base64");
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") },
    format: "jwk",
  });
  return verifyBytes(
    null,
    Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]),
    key,
    Buffer.from(signature?.slice("v1a,".length) ?? "", "base64"),
  );
}

test("an endpoint's rate limit holds in each stretch of time, and an endpoint beside it without one does not wait", async () => {
  const receiver = await aReceiver({ answer: 200 });
  const rateLimit = { perSecond: 20, burst: 5 };
  const limited = await anEndpointAt(receiver.url, { rateLimit });
  const free = await anEndpointAt(receiver.url);
  const deliveries = Array.from({ length: 50 }, () => deliveryTo(limited));
  const others = Array.from({ length: 50 }, () => deliveryTo(free));

  await withDispatcher(async () => {
    await output.send([...deliveries, ...others].map(toDeliveries));
    for (const { deliveryId } of [...deliveries, ...others])
      await waitFor(() => made(deliveryId).length > 0);
  });

  const startsOf = (of: readonly Delivery[]): number[] =>
    of.flatMap(({ deliveryId }) => made(deliveryId).map((a) => a.startedAt));
  const starts = startsOf(deliveries).toSorted((a, b) => a - b);
  expect(starts).toHaveLength(50);
  for (const [first, from] of starts.entries())
    for (const [last, to] of starts.entries())
      if (last > first)
        // `startedAt` is in whole milliseconds, so a stretch may be two longer than it looks.
        expect(last - first + 1).toBeLessThanOrEqual(
          ((to - from + 2) * 20) / 1_000 + 5,
        );
  // The limited ones need more than two seconds. The others begin beside them, so the last of them is not the last of all.
  expect(Math.max(...startsOf(others))).toBeLessThan(starts.at(-1)!);
  expect(deferralsOf(limited)).toEqual([]);
});

test("used-up attempts end in a dead letter with the delivery", async () => {
  const receiver = await aReceiver({ answer: 500 });
  const endpoint = await anEndpointAt(receiver.url, { retryDelaysMs: [40] });
  const delivery = deliveryTo(endpoint);

  await withDispatcher(async () => {
    await output.send([toDeliveries(delivery)]);
    await waitFor(() =>
      deadLetters.find((each) => each.deliveryId === delivery.deliveryId),
    );
  });

  const letter = deadLetters.find(
    (each) => each.deliveryId === delivery.deliveryId,
  );
  expect(letter).toMatchObject({
    reason: "exhausted",
    attempts: 2,
    lastOutcome: "http_error",
    lastStatusCode: 500,
  });
  expect(
    Buffer.from(letter?.delivery?.payload ?? []).equals(
      Buffer.from(delivery.payload),
    ),
  ).toBe(true);
  await waitFor(() => made(delivery.deliveryId).length === 2);
});

test("each way of misbehaving makes one attempt with its outcome and no retry beyond the policy, a healthy endpoint among them is delivered to, and no metric names any", async () => {
  const own = testEffects();
  const healthy = await anEndpointAt((await aReceiver({})).url);
  const rows = await Promise.all(
    MISBEHAVIOUR_NAMES.map(async (name) => {
      const { behave, tls, outcome } = MISBEHAVIOURS[name];
      const receiver = await startRawReceiver(behave, { tls: tls?.() });
      receivers.push(receiver);
      const endpoint = await anEndpointAt(receiver.url, {
        retryDelaysMs: [],
        // A busy machine must not make a time-out of any other.
        timeoutMs: outcome === "timeout" ? 1_000 : 20_000,
      });
      return { name, outcome, delivery: deliveryTo(endpoint) };
    }),
  );
  const toHealthy = Array.from({ length: 20 }, () => deliveryTo(healthy));
  const all = [...rows.map(({ delivery }) => delivery), ...toHealthy];

  await withDispatcher(
    async () => {
      await output.send(all.map(toDeliveries));
      await waitFor(
        () => all.every((each) => made(each.deliveryId).length > 0),
        {
          timeoutMs: 25_000,
        },
      );
    },
    {},
    own,
  );

  expect(
    rows.map(({ name, delivery }) => [
      name,
      made(delivery.deliveryId).map(({ outcome }) => outcome),
    ]),
  ).toEqual(rows.map(({ name, outcome }) => [name, [outcome]]));
  expect(
    toHealthy.flatMap((each) =>
      made(each.deliveryId).map(({ status }) => status),
    ),
  ).toEqual(toHealthy.map(() => "delivered"));
  const page = await own.meter.render();
  expect(page).toContain('postrider_attempts_total{outcome="tls_error"');
  expect(page).not.toMatch(/ep_\d|dlv_\d|msg_\d|acme|127\.0\.0\.1/);
});

test("a 410 makes a signal, and the endpoint gets nothing more", async () => {
  const receiver = await aReceiver({ answer: 410 });
  const endpoint = await anEndpointAt(receiver.url);
  const [first, second] = [deliveryTo(endpoint), deliveryTo(endpoint)];

  await withDispatcher(async () => {
    await output.send([toDeliveries(first)]);
    await waitFor(() =>
      signals.some((each) => each.endpointId === endpoint.id),
    );
    await output.send([toDeliveries(second)]);
    await waitFor(() =>
      [first, second].every(({ deliveryId }) =>
        deadLetters.some((each) => each.deliveryId === deliveryId),
      ),
    );
  });

  expect(
    signals.filter((each) => each.endpointId === endpoint.id),
  ).toMatchObject([
    {
      kind: "gone",
      endpointVersion: endpoint.version,
      deliveryId: first.deliveryId,
    },
  ]);
  const reasonOf = (id: string) =>
    deadLetters.find((each) => each.deliveryId === id)?.reason;
  expect([reasonOf(first.deliveryId), reasonOf(second.deliveryId)]).toEqual([
    "gone",
    "endpoint_disabled",
  ]);
  expect(receiver.requests).toHaveLength(1);
});

test("a repeated delivery and step is dropped, also by a dispatcher that starts later", async () => {
  const receiver = await aReceiver({ answer: 200 });
  const endpoint = await anEndpointAt(receiver.url);
  const delivery = deliveryTo(endpoint);
  const last = deliveryTo(endpoint);

  await withDispatcher(async () => {
    await output.send([toDeliveries(delivery), toDeliveries(delivery)]);
    await waitFor(() => made(delivery.deliveryId).length > 0);
  });
  await withDispatcher(async () => {
    await output.send([toDeliveries(delivery), toDeliveries(last)]);
    await waitFor(() => made(last.deliveryId).length > 0);
  });

  expect(receiver.requests.map((each) => each.headers["webhook-id"])).toEqual([
    delivery.webhookId,
    last.webhookId,
  ]);
});

test("a clean stop in the middle of the work repeats nothing and loses nothing", async () => {
  const receiver = await aReceiver({
    answer: () => ({ status: 200, delayMs: 20 }),
  });
  const endpoints = await Promise.all(
    Array.from({ length: 8 }, () => anEndpointAt(receiver.url)),
  );
  const deliveries = Array.from({ length: 800 }, (_, n) => {
    const endpoint = endpoints[n % endpoints.length];
    if (endpoint === undefined) throw new Error("no endpoint");
    return deliveryTo(endpoint);
  });

  await withDispatcher(async () => {
    await output.send(deliveries.map(toDeliveries));
    await waitFor(() => receiver.requests.length >= 100);
  });
  const atTheStop = receiver.requests.length;
  await withDispatcher(async () => {
    await receiver.waitForRequests(deliveries.length);
    await waitFor(() =>
      deliveries.every(({ deliveryId }) => made(deliveryId).length > 0),
    );
  });

  expect(atTheStop).toBeLessThan(deliveries.length);
  expect(
    new Set(receiver.requests.map((each) => each.headers["webhook-id"])).size,
  ).toBe(deliveries.length);
  expect(receiver.requests).toHaveLength(deliveries.length);
});

test("garbage on deliveries and on a tier becomes dead letters and stops nothing", async () => {
  const receiver = await aReceiver({ answer: 200 });
  const endpoint = await anEndpointAt(receiver.url);
  const delivery = deliveryTo(endpoint, { nextAttemptAt: Date.now() });
  const before = deadLetters.length;
  const garbage = (
    topic: "deliveries" | "retry.100ms",
    text: string,
  ): OutRecord => ({
    topic,
    key: endpoint.id,
    value: Buffer.from(text),
  });

  await withDispatcher(async () => {
    await output.send([
      garbage("deliveries", "garbage"),
      garbage("deliveries", ""),
      garbage("retry.100ms", "{}"),
      { topic: "retry.100ms", key: endpoint.id, value: delivery },
    ]);
    await receiver.waitForRequests(1);
    await waitFor(() => deadLetters.length >= before + 3);
  });

  const stages = deadLetters
    .slice(before)
    .map((each) => `${each.stage}: ${each.reason}`);
  expect(stages.toSorted((a, b) => a.localeCompare(b))).toEqual([
    "deliver: unreadable",
    "deliver: unreadable",
    "hold: unreadable",
  ]);
});

/** A few slots, and many endpoints that accept connections and never answer, each with two deliveries. */
const FEW_SLOTS = { POSTRIDER_MAX_IN_FLIGHT: "40" };
const DEAD = 200;
const HEALTHY = 20;

async function endpointsAt(
  url: string,
  count: number,
  fields: Partial<Endpoint>,
): Promise<Endpoint[]> {
  return await Promise.all(
    Array.from({ length: count }, () =>
      anEndpointAt(url, { timeoutMs: 60_000, ...fields }),
    ),
  );
}

/** Publishes this many deliveries for each endpoint. Resolves to their ids when the broker has acknowledged them. */
async function publishTo(
  endpoints: readonly Endpoint[],
  each: number,
): Promise<string[]> {
  const deliveries = endpoints.flatMap((endpoint) =>
    Array.from({ length: each }, () =>
      deliveryTo(endpoint, { tenantId: endpoint.tenantId }),
    ),
  );
  await output.send(deliveries.map(toDeliveries));
  return deliveries.map(({ deliveryId }) => deliveryId);
}

const areDelivered = (deliveryIds: readonly string[]): boolean => {
  const delivered = new Set(
    attempts
      .filter(({ outcome }) => outcome === "delivered")
      .map(({ deliveryId }) => deliveryId),
  );
  return deliveryIds.every((id) => delivered.has(id));
};

test.each([
  // One tenant, as in many installations; its healthy endpoints have answered before, so they are proven.
  { whose: "of their own tenant that have answered before", tenantId: "acme" },
  // Another tenant, whose endpoints are unknown: they have not been called yet.
  { whose: "of another tenant, new ones included", tenantId: "other" },
])(
  "endpoints that never answer, five times as many as slots, hold up none $whose",
  async ({ tenantId }) => {
    const hanging = await aReceiver({ answer: "hang" });
    const receiver = await aReceiver({});
    const dead = await endpointsAt(hanging.url, DEAD, { tenantId: "acme" });
    const healthy = await endpointsAt(receiver.url, HEALTHY, { tenantId });

    await withDispatcher(async () => {
      if (tenantId === "acme") {
        const first = await publishTo(healthy, 1);
        await waitFor(() => areDelivered(first));
      }
      await publishTo(dead, 2);
      await waitFor(() => hanging.requests.length >= 10);
      const wanted = await publishTo(healthy, 20);
      await waitFor(() => areDelivered(wanted), { timeoutMs: 40_000 });
      // The first attempts to dead endpoints have not timed out yet: the healthy deliveries did not get slots from timeouts.
      const ended = new Set(dead.map(({ id }) => id));
      expect(attempts.filter((one) => ended.has(one.endpointId))).toEqual([]);
      await hanging.close();
    }, FEW_SLOTS);
  },
);

const QUEUED = 1_000;
/** As in breaker.ts. */
const PROBES = 3;

test("a thousand deliveries queued for a dead endpoint cost it a few requests, and are delivered once it is well; a healthy endpoint beside it notices nothing", async () => {
  const recovering = await aReceiver({ answer: 503 });
  const receiver = await aReceiver({});
  const timeoutMs = 30_000;
  const dead = await anEndpointAt(recovering.url, {
    retryDelaysMs: Array.from({ length: 30 }, () => 300),
    timeoutMs,
  });
  const healthy = await anEndpointAt(receiver.url, { timeoutMs });
  const of = ({ id }: Endpoint) =>
    attempts.filter(({ endpointId }) => endpointId === id);
  const failed = () => of(dead).filter(({ statusCode }) => statusCode === 503);
  const signalled = (kind: string) =>
    signals.find((one) => one.endpointId === dead.id && one.kind === kind);
  const waits = { timeoutMs: 40_000 };
  const own = testEffects();

  await withDispatcher(
    async () => {
      const queued = await publishTo([dead], QUEUED);
      const opened = await waitFor(() => signalled("breaker_opened"), waits);
      const wanted = await publishTo([healthy], 200);
      await waitFor(() => areDelivered(wanted), waits);
      const beforeOpen = () =>
        failed().filter(({ startedAt }) => startedAt <= opened.at).length;
      await waitFor(() => failed().length > beforeOpen(), waits);
      recovering.answerWith(200);
      await waitFor(() => areDelivered(queued), { timeoutMs: 90_000 });
      await waitFor(() => signalled("breaker_closed"), waits);

      // Ten in a row, and one more may have been under way.
      expect(beforeOpen()).toBeGreaterThanOrEqual(10);
      expect(beforeOpen()).toBeLessThanOrEqual(11);
      const failedProbes = failed().length - beforeOpen();
      const reopened = own.log
        .of("breaker.reopened")
        .filter(({ fields }) => fields["endpointId"] === dead.id).length;
      expect(failedProbes).toBeGreaterThanOrEqual(reopened);
      expect(failedProbes).toBeLessThanOrEqual(reopened * PROBES);
      expect(recovering.requests).toHaveLength(QUEUED + failed().length);
    },
    {},
    own,
  );

  const deferred = of(dead).filter((each) => each.attemptNumber === 0);
  expect(deferred.length).toBeGreaterThan(QUEUED / 2);
  for (const each of deferred)
    expect([each.deferralReason, each.disposition]).toEqual([
      "breaker_open",
      "defer",
    ]);
  expect(of(healthy).filter((each) => each.attemptNumber !== 1)).toEqual([]);
}, 200_000);
