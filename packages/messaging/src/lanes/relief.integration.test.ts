/** Relief with a real broker and a real event loop: which lanes are deferred if the process itself is the bottleneck. */
import { afterEach, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import type { Lifecycle } from "@postrider/runtime";
import { createKafka } from "../kafkajs/kafka.ts";
import type { Output } from "../output-port.ts";
import type { Decoder, Stage } from "../stage.ts";
import { createStageRunner } from "../stage-runner/stage-runner.ts";

const stack = useStack();
const running: Lifecycle[] = [];

afterEach(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 3000);
  running.length = 0;
});

const HEALTHY = 6000;
/** How long a handler keeps the event loop busy, ms: so long that the loop is never idle. */
const BURN_MS = 0.4;

const decode: Decoder<string> = ({ key }) => ({
  kind: "decoded",
  value: key!.toString(),
});

/** An output that acknowledges everything at once, so that the handlers' own work is the bottleneck. */
const output: Output = {
  start: async () => undefined,
  stop: async () => undefined,
  send: async () => undefined,
  sendThen: (_records, _source, ended) => ended(null),
  unacknowledged: () => 0,
  oldestUnacknowledgedMs: () => 0,
};

test("a saturated process defers no healthy lane, however long its backlog, and still relieves a black hole", async () => {
  const [topic] = await stack.createTopics("relief-in");
  const effects = testEffects();
  const connection = { brokers: stack.brokers, clientId: "relief-test" };
  const kafka = createKafka(connection, effects);
  await preload(kafka, topic!);
  let handled = 0;
  const deferred = new Map<string, number>();
  const stage: Stage<string> = {
    laneOf: ({ value }) => value,
    laneConcurrency: () => 16,
    handle: async ({ value }, signal) => {
      if (value === "hole") await aborted(signal);
      else {
        await new Promise((resolve) => setImmediate(resolve));
        burn();
        handled++;
      }
      return { kind: "emit", records: [] };
    },
    defer: ({ value }) => {
      deferred.set(value, (deferred.get(value) ?? 0) + 1);
      return [];
    },
  };
  const runner = createStageRunner({
    ...effects,
    name: "test",
    stage,
    decode,
    kafka,
    groupId: `${stack.prefix}relief`,
    topics: [topic!],
    output,
    limits: {
      sessionTimeoutMs: stack.sessionTimeoutMs,
      maxOpenPerPartition: 1500,
    },
  });
  running.push(runner);

  await runner.start();

  const deferredOf = (isHole: boolean) =>
    [...deferred].reduce(
      (sum, [lane, n]) => sum + ((lane === "hole") === isHole ? n : 0),
      0,
    );
  await waitFor(() => handled + deferredOf(false) === HEALTHY, {
    timeoutMs: 100_000,
  });
  expect(deferredOf(true)).toBeGreaterThan(0);
  expect(deferredOf(false)).toBe(0);
});

/** Writes to two partitions: one carries two lanes, the other eight, of which one never answers (a black hole). */
async function preload(
  kafka: ReturnType<typeof createKafka>,
  topic: string,
): Promise<void> {
  const producer = await kafka.createProducer();
  const laneOf = (n: number) => (n % 3 === 0 ? `a${n % 2}` : `b${n % 7}`);
  for (let from = 0; from < HEALTHY; from += 500) {
    const healthy = Array.from({ length: 500 }, (_, i) => laneOf(from + i));
    const holes = Array.from({ length: 100 }, () => "hole");
    await producer.sendBatch(
      [...healthy, ...holes].map((lane) => ({
        topic,
        partition: lane.startsWith("a") ? 0 : 1,
        key: Buffer.from(lane),
        value: Buffer.from("v"),
      })),
    );
  }
  await producer.disconnect();
}

function burn(): void {
  const until = performance.now() + BURN_MS;
  while (performance.now() < until);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
