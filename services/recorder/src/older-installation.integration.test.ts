/** The recorder before `topics apply` and `migrate` were run for it: what it has tables and topics for it records, and the rest follows. */
import { expect, test } from "@jest/globals";
import {
  createKafka,
  createSchemas,
  topicName,
  type OutRecord,
} from "@postrider/messaging";
import { composeLifecycle } from "@postrider/runtime";
import {
  anAttempt,
  anAuditEntry,
  aSignal,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { createWriter } from "./clickhouse/writer.ts";
import { compose } from "./compose.ts";
import { readRecorderConfig } from "./config.ts";
import { readMigrations } from "./migrate/migration-files.ts";
import { migrate } from "./migrate/migrate.ts";

const stack = useStack();
const NOW = Date.now();

test("without the topic and the table audit, and a column of attempts, the other records are rows; once all are there, so are theirs, without a restart", async () => {
  const effects = testEffects();
  const { clickhouseUrl: url, database, prefix } = stack;
  await stack.createTopics(
    "schemas",
    "intake",
    "attempts",
    "dead-letters",
    "signals",
  );
  const writer = createWriter({ url, database });
  const migrations = readMigrations();
  const older = migrations.slice(
    0,
    migrations.findIndex(({ name }) => name.includes("audit")),
  );
  await migrate({ sql: writer, database, migrations: older });
  const kafka = createKafka(
    { brokers: stack.brokers, clientId: "test" },
    effects,
  );
  const schemas = createSchemas({ ...effects, kafka, prefix });
  await schemas.start();
  const producer = await kafka.createProducer();
  const config = readRecorderConfig({
    KAFKA_BROKERS: stack.brokers.join(","),
    CLICKHOUSE_URL: url,
    POSTRIDER_CLICKHOUSE_DATABASE: database,
    POSTRIDER_TOPIC_PREFIX: prefix,
    POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
  });
  const { parts, health } = compose(config, effects, kafka);
  const recorder = composeLifecycle(parts, effects);
  const complaints = () =>
    health
      .ready()
      .filter(({ isOk }) => !isOk)
      .map(({ name, detail }) => `${name}: ${detail}`);
  const write = async (record: OutRecord) =>
    await producer.sendBatch([
      {
        topic: topicName(prefix, record.topic),
        partition: 0,
        key: Buffer.from("k"),
        value: schemas.encode(record),
      },
    ]);
  const rowsIn = async (table: string) =>
    await writer.query(
      `SELECT toUInt32(count()) AS rows FROM ${table} WHERE tenant_id = 'older'`,
    );

  const started = recorder.start();
  await write({
    topic: "attempts",
    key: "k",
    value: anAttempt({ tenantId: "older", receivedAt: NOW, startedAt: NOW }),
  });
  await write({
    topic: "signals",
    key: "k",
    value: aSignal({ tenantId: "older", at: NOW }),
  });
  await waitFor(async () => {
    expect(await rowsIn("signals")).toEqual([{ rows: 1 }]);
    return true;
  });
  expect(complaints()).toContainEqual(
    expect.stringMatching(
      /^clickhouse: needs \S*audit.*run postrider migrate$/,
    ),
  );
  expect(complaints()).toContainEqual(
    expect.stringContaining("record.audit.kafka"),
  );
  expect(await rowsIn("attempts")).toEqual([{ rows: 0 }]);
  expect(health.live().every(({ isOk }) => isOk)).toBe(true);

  await stack.createTopics("audit");
  await write({
    topic: "audit",
    key: "ep_1",
    value: anAuditEntry({ tenantId: "older", at: NOW }),
  });
  await started;
  await waitFor(() =>
    complaints().some((text) => text.startsWith("record.audit:")),
  );
  await migrate({ sql: writer, database, migrations });

  await waitFor(
    async () => {
      for (const table of ["audit", "attempts"])
        expect(await rowsIn(table)).toEqual([{ rows: 1 }]);
      return true;
    },
    { timeoutMs: 60_000 },
  );
  await waitFor(() => complaints().length === 0, { timeoutMs: 30_000 });
  await recorder.stop(Date.now() + 10_000);
  await producer.disconnect();
  await schemas.stop(Date.now() + 5_000);
  await writer.close();
}, 120_000);
