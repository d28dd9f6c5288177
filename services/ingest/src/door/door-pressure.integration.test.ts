/** The door while its Kafka, a real one behind a proxy, is silent or away. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  type KafkaProxy,
  readTopics,
  startKafkaProxy,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { compose, type Ingest } from "../compose.ts";
import { readIngestConfig } from "../config.ts";

const stack = useStack();
const ADMIN_KEY = "admin-key";
/** The smallest that can be set. */
const QUEUE_BYTES = 1 << 20;
const PAYLOAD_BYTES = 200_000;
/** How many such events the queue takes. */
const FITTING = Math.floor(QUEUE_BYTES / PAYLOAD_BYTES);

let proxy: KafkaProxy;
let ingest: Ingest;
let whole: Lifecycle;

beforeAll(async () => {
  await stack.createTopics("events", "control", "schemas");
  proxy = await startKafkaProxy(stack.brokers[0]!);
  const effects = testEffects();
  ingest = compose(
    readIngestConfig({
      KAFKA_BROKERS: proxy.broker,
      POSTRIDER_TOPIC_PREFIX: stack.prefix,
      POSTRIDER_ADMIN_KEY: ADMIN_KEY,
      POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 9).toString("base64")}`,
      POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
      POSTRIDER_INGEST_ROLES: "door",
      POSTRIDER_PORT: "0",
      POSTRIDER_DOOR_TIMEOUT: "300ms",
      POSTRIDER_DOOR_QUEUE_BYTES: String(QUEUE_BYTES),
    }),
    effects,
  );
  whole = composeLifecycle(ingest.parts, effects);
  await whole.start();
});
afterAll(async () => {
  proxy.hold(false);
  proxy.cut(false);
  await whole.stop(Date.now() + 10_000);
  await proxy.close();
});
beforeEach(async () => {
  await waitFor(async () => (await post()).status === 202);
});

interface Answer {
  readonly id: string;
  readonly status: number;
  readonly retryAfter: number;
  readonly type: string;
}

async function post(payloadBytes = 10): Promise<Answer> {
  const id = randomUUID();
  const response = await fetch(`${ingest.door!.url()}/v1/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      id,
      type: "order.paid",
      tenantId: "acme",
      payload: "x".repeat(payloadBytes),
    }),
  });
  const { type = "" } = (await response.json()) as { type?: string };
  return {
    id,
    status: response.status,
    retryAfter: Number(response.headers.get("retry-after")),
    type: type.split(":").at(-1) ?? "",
  };
}

/** Posts one after the other until the door has no room. */
async function fill(): Promise<Answer[]> {
  const answers: Answer[] = [];
  await waitFor(
    async () => {
      answers.push(await post(PAYLOAD_BYTES));
      return answers.at(-1)?.type === "busy";
    },
    { everyMs: 1 },
  );
  return answers;
}

async function idsOnTopic(): Promise<ReadonlySet<string>> {
  const records = await readTopics(stack.kafka(), [`${stack.prefix}events`]);
  return new Set(records.map(({ key }) => key?.toString().split(":")[1] ?? ""));
}

test.each([
  ["silent", (isSo: boolean) => proxy.hold(isSo)],
  ["away", (isSo: boolean) => proxy.cut(isSo)],
])(
  "while Kafka is %s the door takes in so much and no more, each refusal says when to come back, and what it has taken in is published afterwards",
  async (_, make) => {
    make(true);
    const answers = await fill();
    const refusedAtOnce = await post(PAYLOAD_BYTES);
    make(false);
    const after = await waitFor(async () => {
      const answer = await post();
      return answer.status === 202 && answer;
    });

    const late = answers.filter(({ type }) => type === "not-acknowledged");
    const busy = answers.filter(({ type }) => type === "busy");
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    for (const { retryAfter } of answers)
      expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(late).toHaveLength(FITTING);
    expect(refusedAtOnce.type).toBe("busy");
    const onTopic = await waitFor(async () => {
      const ids = await idsOnTopic();
      return late.every(({ id }) => ids.has(id)) && ids;
    });
    expect(onTopic.has(after.id)).toBe(true);
    for (const { id } of [...busy, refusedAtOnce])
      expect(onTopic.has(id)).toBe(false);
  },
);

test("what is answered with 202 is on the topic, whatever Kafka does meanwhile", async () => {
  const accepted: string[] = [];
  let isOver = false;
  const publishing = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const { id, status } = await post(1_000);
      if (status === 202) accepted.push(id);
    }
  });
  const some = async (): Promise<void> => {
    const more = accepted.length + 100;
    await waitFor(() => accepted.length >= more);
  };

  try {
    await some();
    proxy.cut(true);
    await waitFor(async () => (await post()).status === 503);
    proxy.cut(false);
    await some();
    proxy.hold(true);
    await waitFor(async () => (await post()).status === 503);
    proxy.cut(true); // what was sent in between is lost with its connection
    proxy.hold(false);
    proxy.cut(false);
    await some();
  } finally {
    isOver = true;
    await Promise.all(publishing);
  }

  const onTopic = await idsOnTopic();
  expect(accepted.filter((id) => !onTopic.has(id))).toEqual([]);
});
