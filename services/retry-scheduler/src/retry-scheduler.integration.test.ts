/** hold on a real broker: no record is early, all are in order and go through several hops, and a clean stop gives back what is held. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseTiers, planWait, type Delivery } from "@postrider/core";
import {
  createDeadLetterOf,
  createOutput,
  createSchemas,
  type OutRecord,
  type Output,
  type RawRecord,
  type Schemas,
} from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  aDelivery,
  followTopic,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { compose } from "./compose.ts";
import { readRetrySchedulerConfig } from "./config.ts";

const stack = useStack();
const TIERS = "100ms,400ms,1500ms,300s";
const STOP_WITHIN_MS = 60_000;
const tiers = parseTiers(TIERS);
const effects = testEffects();
const running: Lifecycle[] = [];
const released: { readonly raw: RawRecord; readonly value: Delivery }[] = [];
let schemas: Schemas;
let output: Output;
let ids = 0;

beforeAll(async () => {
  await stack.createAllTopics(...tiers.map((tier) => tier.topic));
  const kafka = stack.kafka();
  const { prefix, sessionTimeoutMs } = stack;
  schemas = createSchemas({ kafka, prefix, ...effects, sessionTimeoutMs });
  await start(schemas);
  output = createOutput({
    ...effects,
    kafka,
    prefix,
    encode: (record) => schemas.encode(record),
    deadLetterOf: createDeadLetterOf({ stage: "test", clock: effects.clock }),
  });
  await start(output);
  const decode = schemas.decoderOf("deliveries");
  await start(
    followTopic(stack, { kafka, name: "deliveries" }, (raw) => {
      const decoded = decode(raw);
      if (decoded.kind === "decoded")
        released.push({ raw, value: decoded.value });
    }),
  );
});

afterAll(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 10_000);
});

async function start(part: Lifecycle): Promise<void> {
  running.push(part);
  await part.start();
}

async function withScheduler(
  run: (openRecords: () => Promise<number>) => Promise<void>,
): Promise<void> {
  const config = readRetrySchedulerConfig({
    KAFKA_BROKERS: stack.brokers.join(","),
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    POSTRIDER_TIERS: TIERS,
    POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
  });
  const own = testEffects();
  const { parts } = compose(config, own);
  const scheduler = composeLifecycle(parts, effects);
  await scheduler.start();
  try {
    await run(async () => {
      const page = await own.meter.render();
      const line = /^postrider_open_records\{.*\} (\d+)$/m.exec(page);
      return Number(line?.[1] ?? 0);
    });
  } finally {
    await scheduler.stop(Date.now() + STOP_WITHIN_MS);
  }
}

/** A delivery as it is written to the first tier of its wait. */
function waiting(
  waitMs: number,
  endpointId = "ep_1",
): OutRecord & { readonly id: string } {
  const id = `dlv_${(ids += 1)}`;
  const planned = planWait(tiers, waitMs);
  const nextAttemptAt = Date.now() + planned.waitMs;
  const value = aDelivery({ deliveryId: id, endpointId, nextAttemptAt });
  return {
    id,
    topic: planned.tier?.topic ?? "deliveries",
    key: endpointId,
    value,
  };
}

const of = (id: string) =>
  released.filter(({ value }) => value.deliveryId === id);

test("no record is released before its wait is over, through any number of hops, and each once", async () => {
  const records = Array.from({ length: 300 }, (_, n) =>
    waiting(50 + n * 11, `ep_${n % 16}`),
  );

  await withScheduler(async () => {
    await output.send(records);
    await waitFor(() => records.every(({ id }) => of(id).length > 0));
  });

  const lateMs: number[] = [];
  for (const { id } of records) {
    expect(of(id)).toHaveLength(1);
    const [one] = of(id);
    // A record in `deliveries` keeps its producer's timestamp, which is the scheduler's clock.
    lateMs.push(
      (one?.raw.timestamp ?? 0) - (one?.value.nextAttemptAt ?? Infinity),
    );
  }
  expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0);
});

test("records that wait equally long in one tier leave a partition in the order they came", async () => {
  const records = Array.from({ length: 200 }, () => waiting(400, "ep_fifo"));

  await withScheduler(async () => {
    await output.send(records);
    await waitFor(() => records.every(({ id }) => of(id).length > 0));
  });

  const order = released
    .filter(({ value }) => value.endpointId === "ep_fifo")
    .map(({ value }) => value.deliveryId);
  expect(order).toEqual(records.map(({ id }) => id));
});

test("a stop gives back what is held, at once, and the next owner releases it once", async () => {
  const records = Array.from({ length: 100 }, (_, n) =>
    waiting(3_000, `ep_${n % 4}`),
  );
  const long = Array.from({ length: 4 }, () => waiting(300_000, "ep_long"));
  let stopMs = 0;

  await withScheduler(async (openRecords) => {
    await output.send(long);
    await waitFor(async () => (await openRecords()) >= long.length);
    await output.send(records);
    await waitFor(async () => (await openRecords()) > long.length);
    stopMs = performance.now();
  });
  stopMs = performance.now() - stopMs;
  await withScheduler(async () => {
    await waitFor(() => records.every(({ id }) => of(id).length > 0));
  });

  // A stop that waited for what is held would be ended by its deadline only.
  expect(stopMs).toBeLessThan(STOP_WITHIN_MS / 2);
  expect(records.map(({ id }) => of(id).length)).toEqual(records.map(() => 1));
});
