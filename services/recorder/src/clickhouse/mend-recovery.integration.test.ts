/** Recorder and ClickHouse die together within an insert. The next recorder finds the announced range and leaves each row once. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { rmSync } from "node:fs";
import { startStack } from "@postrider/local-stack";
import type { Stack } from "@postrider/local-stack";
import {
  CommitError,
  createKafka,
  createSchemas,
  topicName,
} from "@postrider/messaging";
import type { ConsumerOptions, Kafka } from "@postrider/messaging";
import { composeLifecycle } from "@postrider/runtime";
import type { Health, Lifecycle } from "@postrider/runtime";
import {
  anAttempt,
  execute,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { compose } from "../compose.ts";
import { readRecorderConfig } from "../config.ts";
import { migrate } from "../migrate/migrate.ts";
import { readMigrations } from "../migrate/migration-files.ts";
import { createWriter } from "./writer.ts";
import type { Writer } from "./writer.ts";

const shared = useStack();
const effects = testEffects();
const NOW = Date.now();
const ATTEMPTS = 400;
/** This test's own ClickHouse, because it is killed; Kafka is the test run's shared one. */
let own: Stack;
let writer: Writer;
let kafka: Kafka;

beforeAll(async () => {
  own = await startStack({ provider: "local" });
  const { url } = own.clickhouse;
  const { database, brokers } = shared;
  await execute(url, `CREATE DATABASE ${database}`);
  writer = createWriter({ url, database });
  await migrate({ sql: writer, database, migrations: readMigrations() });
  await shared.createTopics(
    "schemas",
    "intake",
    "attempts",
    "dead-letters",
    "signals",
    "audit",
  );
  kafka = createKafka({ brokers, clientId: "test" }, effects);
});
afterAll(async () => {
  await writer.close();
  await own.stop();
});

async function startRecorder(
  ownKafka: Kafka,
): Promise<{ recorder: Lifecycle; health: Health }> {
  const config = readRecorderConfig({
    KAFKA_BROKERS: shared.brokers.join(","),
    CLICKHOUSE_URL: own.clickhouse.url,
    POSTRIDER_CLICKHOUSE_DATABASE: shared.database,
    POSTRIDER_TOPIC_PREFIX: shared.prefix,
    POSTRIDER_SESSION_TIMEOUT: `${shared.sessionTimeoutMs}ms`,
    POSTRIDER_RECORD_LINGER: "20ms",
  });
  const { parts, health } = compose(config, effects, ownKafka);
  const recorder = composeLifecycle(parts, effects);
  await recorder.start();
  return { recorder, health };
}

/** A Kafka whose consumers commit until a range is announced and never after: as if the process died right after inserting that range. */
function dyingAfterAnnouncing(): Kafka {
  return {
    ...kafka,
    consumer(options: ConsumerOptions) {
      const consumer = kafka.consumer(options);
      const commit = consumer.commit.bind(consumer);
      let hasAnnounced = false;
      consumer.commit = async (epoch, offsets) => {
        if (hasAnnounced) throw new CommitError("dead in this test");
        await commit(epoch, offsets);
        hasAnnounced = offsets.some(({ metadata }) => metadata !== "");
      };
      return consumer;
    },
  };
}

async function produceAttempts(): Promise<void> {
  const schemas = createSchemas({ ...effects, kafka, prefix: shared.prefix });
  await schemas.start();
  const producer = await kafka.createProducer();
  await producer.sendBatch(
    Array.from({ length: ATTEMPTS }, (_, n) => ({
      topic: topicName(shared.prefix, "attempts"),
      partition: 0,
      key: Buffer.from("k"),
      value: schemas.encode({
        topic: "attempts",
        key: "k",
        value: anAttempt({
          deliveryId: `d${n}`,
          receivedAt: NOW,
          startedAt: NOW + n,
        }),
      }),
    })),
  );
  await producer.disconnect();
  await schemas.stop(Date.now() + 5_000);
}

async function counts(): Promise<Record<string, number>> {
  const [row] = await writer.query<Record<string, number>>(
    `SELECT
      (SELECT toUInt32(count()) FROM attempts) AS attempts,
      (SELECT toUInt32(uniqExact(log_partition, log_offset)) FROM attempts) AS records,
      (SELECT toUInt32(sum(attempts)) FROM endpoint_hour) AS hours,
      (SELECT toUInt32(sum(attempts)) FROM tenant_minute) AS minutes,
      (SELECT toUInt32(count()) FROM deliveries FINAL) AS deliveries`,
  );
  return row!;
}

test("a recorder that finds an announced range puts back the rows of it that ClickHouse lost", async () => {
  await produceAttempts();
  const victim = await startRecorder(dyingAfterAnnouncing());
  await waitFor(() =>
    victim.health
      .ready()
      .some(({ detail }) => detail.includes("dead in this test")),
  );
  await victim.recorder.stop(Date.now() + 10_000);
  const parts = await writer.query<{ path: string }>(
    `SELECT path FROM system.parts WHERE database = '${shared.database}' AND table = 'attempts' AND active`,
  );
  const inserted = await counts();
  expect(inserted["hours"]).toBeGreaterThan(0);

  // The state that a kill leaves between a part's entry in the deduplication log and its rename.
  await own.clickhouse.server!.kill9();
  for (const { path } of parts) rmSync(path, { recursive: true });
  await own.clickhouse.server!.restart();
  expect(await counts()).toEqual({ ...inserted, attempts: 0, records: 0 });
  const { recorder } = await startRecorder(kafka);

  const whole = {
    attempts: ATTEMPTS,
    records: ATTEMPTS,
    hours: ATTEMPTS,
    minutes: ATTEMPTS,
    deliveries: ATTEMPTS,
  };
  await waitFor(
    async () => JSON.stringify(await counts()) === JSON.stringify(whole),
  ).catch(() => undefined); // on a time-out the last expectation shows what is there instead
  await recorder.stop(Date.now() + 10_000);
  expect(effects.log.of("rows.mended").length).toBeGreaterThan(0);
  expect(await counts()).toEqual(whole);
});
