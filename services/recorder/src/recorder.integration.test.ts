/** The recorder on a real Kafka and a real ClickHouse: each record is in its table once, whatever fails meanwhile. */
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import {
  CommitError,
  createKafka,
  createSchemas,
  topicName,
} from "@postrider/messaging";
import type {
  ConsumerOptions,
  Kafka,
  OutRecord,
  Producer,
  Schemas,
} from "@postrider/messaging";
import { composeLifecycle } from "@postrider/runtime";
import type { Health, Lifecycle } from "@postrider/runtime";
import {
  aDeadLetter,
  anAttempt,
  anAuditEntry,
  anIntake,
  aSignal,
  nextSchemas,
  readTopics,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { compose } from "./compose.ts";
import { readRecorderConfig } from "./config.ts";
import { migrate } from "./migrate/migrate.ts";
import { readMigrations } from "./migrate/migration-files.ts";
import { createWriter } from "./clickhouse/writer.ts";
import type { Writer } from "./clickhouse/writer.ts";

const stack = useStack();
const NOW = Date.now();
const DAY_MS = 86_400_000;
const effects = testEffects();
let writer: Writer;
let kafka: Kafka;
let schemas: Schemas;
let producer: Producer;
let running: Lifecycle[] = [];

beforeAll(async () => {
  await stack.createTopics(
    "schemas",
    "intake",
    "attempts",
    "dead-letters",
    "signals",
    "audit",
  );
  writer = createWriter({ url: stack.clickhouseUrl, database: stack.database });
  await migrate({
    sql: writer,
    database: stack.database,
    migrations: readMigrations(),
  });
  kafka = createKafka({ brokers: stack.brokers, clientId: "test" }, effects);
  schemas = createSchemas({ ...effects, kafka, prefix: stack.prefix });
  await schemas.start();
  producer = await kafka.createProducer();
  await startRecorder(); // its first commits, at each partition's beginning, must be over: the tests below count commits
  await stopRecorders();
});

afterAll(async () => {
  await producer.disconnect();
  await schemas.stop(Date.now() + 5_000);
  await writer.close();
});

async function stopRecorders(): Promise<void> {
  for (const recorder of running) await recorder.stop(Date.now() + 10_000);
  running = [];
}
afterEach(stopRecorders);

interface Started {
  readonly health: Health;
  readonly recorder: Lifecycle;
}

async function startRecorder(
  env: Record<string, string> = {},
  ownKafka: Kafka = kafka,
): Promise<Started> {
  const config = readRecorderConfig({
    KAFKA_BROKERS: stack.brokers.join(","),
    CLICKHOUSE_URL: stack.clickhouseUrl,
    POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
    POSTRIDER_UNKNOWN_SCHEMA_WAIT: "500ms",
    POSTRIDER_RECORD_LINGER: "20ms",
    ...env,
  });
  const { parts, health } = compose(config, effects, ownKafka);
  const recorder = composeLifecycle(parts, effects);
  running.push(recorder);
  await recorder.start();
  return { recorder, health };
}

/** Sends records; the n-th goes to partition n mod 2. */
async function produce(
  records: readonly (OutRecord | { topic: string; value: Buffer })[],
): Promise<void> {
  for (let from = 0; from < records.length; from += 500)
    await producer.sendBatch(
      records.slice(from, from + 500).map((record, n) => ({
        topic: topicName(stack.prefix, record.topic),
        partition: n % 2,
        key: Buffer.from("k"),
        value: Buffer.isBuffer(record.value)
          ? record.value
          : schemas.encode(record as OutRecord),
      })),
    );
}

function someAttempts(
  tenantId: string,
  count: number,
  from = NOW,
): OutRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    topic: "attempts" as const,
    key: "k",
    value: anAttempt({
      tenantId,
      deliveryId: `${tenantId}-${n}`,
      endpointId: `ep_${n % 3}`,
      receivedAt: from,
      startedAt: from + n,
      durationMs: n,
    }),
  }));
}

/** "rows/distinct rows" of a tenant in a table, read without FINAL, so that duplicates show. */
async function counted(table: string, tenantId: string): Promise<string> {
  const [row] = await writer.query<{ counted: string }>(
    `SELECT concat(toString(count()), '/', toString(uniqExact(log_partition, log_offset))) AS counted FROM ${table} WHERE tenant_id = {tenantId: String}`,
    { tenantId },
  );
  return row!.counted;
}

/** Waits until the attempts are there, stops the recorders so that no more rows can come, and then checks the counts. */
async function expectAttempts(tenantId: string, count: number): Promise<void> {
  const whole = { hours: count, minutes: count, deliveries: count };
  await waitFor(
    async () =>
      (await counted("attempts", tenantId)).endsWith(`/${count}`) &&
      JSON.stringify(await attemptsInViews(tenantId)) === JSON.stringify(whole),
  ).catch(() => undefined); // on a time-out the expectations below show what is there instead
  await stopRecorders();
  expect(await counted("attempts", tenantId)).toBe(`${count}/${count}`);
  expect(await attemptsInViews(tenantId)).toEqual(whole);
}

async function attemptsInViews(tenantId: string): Promise<unknown> {
  const [row] = await writer.query(
    `SELECT
      (SELECT toUInt32(sum(attempts)) FROM endpoint_hour WHERE tenant_id = {tenantId: String}) AS hours,
      (SELECT toUInt32(sum(attempts)) FROM tenant_minute WHERE tenant_id = {tenantId: String}) AS minutes,
      (SELECT toUInt32(count()) FROM deliveries FINAL WHERE tenant_id = {tenantId: String}) AS deliveries`,
    { tenantId },
  );
  return row;
}

test("each record is one row in its table and in what its views feed, also after a restart", async () => {
  await produce([
    ...someAttempts("once", 1_000),
    ...Array.from({ length: 300 }, (_, n) => ({
      topic: "intake" as const,
      key: "k",
      value: anIntake({
        tenantId: "once",
        eventId: `e${n}`,
        receivedAt: NOW,
        decidedAt: NOW,
        deliveries: [{ deliveryId: `once-${n}`, endpointId: "ep_0" }],
      }),
    })),
    ...Array.from({ length: 50 }, (_, n) => ({
      topic: "dead-letters" as const,
      key: "k",
      value: aDeadLetter({
        tenantId: "once",
        deliveryId: `once-${n}`,
        receivedAt: NOW,
        deadAt: NOW + n,
      }),
    })),
    ...Array.from({ length: 40 }, (_, n) => ({
      topic: "signals" as const,
      key: "k",
      value: aSignal({ tenantId: "once", at: NOW + n }),
    })),
  ]);

  const first = await startRecorder();
  await waitFor(
    async () =>
      (await counted("dead_letters", "once")) === "50/50" &&
      (await counted("signals", "once")) === "40/40" &&
      (await counted("events", "once")) === "300/300" &&
      (await counted("attempts", "once")) === "1000/1000",
  );
  await waitFor(() => first.health.ready().every(({ isOk }) => isOk));
  await first.recorder.stop(Date.now() + 10_000);
  await startRecorder();
  await produce(someAttempts("after", 10));
  await waitFor(async () => (await counted("attempts", "after")) === "10/10");

  expect(await counted("events", "once")).toBe("300/300");
  expect(await counted("dead_letters", "once")).toBe("50/50");
  expect(await counted("signals", "once")).toBe("40/40");
  expect(
    await writer.query(
      "SELECT DISTINCT remote_address FROM attempts WHERE tenant_id = 'once'",
    ),
  ).toEqual([{ remote_address: anAttempt().remoteAddress }]);
  await expectAttempts("once", 1_000);
});

/** How many parts the tables were given so far by inserts; a merge takes no number of its own. */
async function partsOf(
  tables: readonly string[],
): Promise<Record<string, number>> {
  const rows = await writer.query<{ table: string; parts: number }>(
    "SELECT table, toUInt32(max(max_block_number)) AS parts FROM system.parts WHERE database = {database: String} GROUP BY table",
    { database: stack.database },
  );
  const parts = new Map(rows.map((row) => [row.table, row.parts]));
  return Object.fromEntries(
    tables.map((table) => [table, parts.get(table) ?? 0]),
  );
}

async function insertsInto(table: string): Promise<number> {
  const page = await effects.meter.render();
  const line = new RegExp(
    `^postrider_insert_seconds_count\\{.*table="${table}".*\\} (\\d+)$`,
    "m",
  );
  return Number(line.exec(page)?.[1] ?? 0);
}

test("an insert of a day makes one part in its table and one in each that its views fill", async () => {
  const tables = ["attempts", "deliveries", "endpoint_hour", "tenant_minute"];
  const day = Math.floor(NOW / DAY_MS) * DAY_MS;
  await produce(someAttempts("parts", 400, day));
  const before = await partsOf(tables);
  const insertsBefore = await insertsInto("attempts");

  await startRecorder({ POSTRIDER_RECORD_BATCH_RECORDS: "150" });
  await expectAttempts("parts", 400);

  const after = await partsOf(tables);
  const inserts = (await insertsInto("attempts")) - insertsBefore;
  expect(inserts).toBeGreaterThan(1);
  for (const table of tables)
    expect([table, after[table]! - before[table]!]).toEqual([table, inserts]);
});

test("records of the next version of each schema are rows beside today's, and the next version reads today's", async () => {
  const next = createSchemas({
    ...effects,
    kafka,
    prefix: stack.prefix,
    ownSchemas: nextSchemas(),
  });
  await next.start();
  try {
    const tenantId = "versions";
    const times = { receivedAt: NOW, decidedAt: NOW, startedAt: NOW };
    const written = (id: string): readonly OutRecord[] => {
      const of = { tenantId, ...times, eventId: id, deliveryId: id };
      return [
        { topic: "intake", key: id, value: anIntake(of) },
        { topic: "attempts", key: id, value: anAttempt(of) },
        {
          topic: "dead-letters",
          key: id,
          value: aDeadLetter({ ...of, deadAt: NOW }),
        },
        { topic: "signals", key: id, value: aSignal({ ...of, at: NOW }) },
        {
          topic: "audit",
          key: id,
          value: anAuditEntry({ tenantId, subjectId: id, at: NOW }),
        },
      ];
    };
    await produce(written("today"));
    await produce(
      written("next").map((record) => ({
        topic: record.topic,
        value: next.encode(record),
      })),
    );

    await startRecorder();

    for (const table of [
      "events",
      "attempts",
      "dead_letters",
      "signals",
      "audit",
    ])
      await waitFor(async () => (await counted(table, tenantId)) === "2/2", {
        what: `both in ${table}`,
      });
    for (const { topic } of written("today")) {
      const raws = await readTopics(kafka, [topicName(stack.prefix, topic)]);
      const decode = next.decoderOf(topic);
      const tenants = raws.map((raw) => {
        const decoded = decode(raw);
        if (decoded.kind !== "decoded") return decoded.kind;
        return "tenantId" in decoded.value ? decoded.value.tenantId : null;
      });
      expect(tenants.filter((one) => one === tenantId)).toHaveLength(2);
    }
  } finally {
    await next.stop(Date.now() + 5_000);
  }
});

/** A Kafka whose consumers lose every commit after the `allowed`th that announces a batch: as if the process died after that one. */
function losingCommits(
  allowed: number,
  stored: Map<string, string>,
  hasDied: () => void,
): Kafka {
  return {
    ...kafka,
    consumer(options: ConsumerOptions) {
      const consumer = kafka.consumer(options);
      const commit = consumer.commit.bind(consumer);
      let announced = 0;
      consumer.commit = async (epoch, offsets) => {
        if (announced === allowed) {
          hasDied();
          throw new CommitError("lost in this test");
        }
        await commit(epoch, offsets);
        if (offsets.some(({ metadata }) => metadata !== "")) announced++;
        for (const { topic, partition, metadata } of offsets)
          stored.set(`${topic}/${partition}`, metadata);
      };
      return consumer;
    },
  };
}

/** Records until the `allowed`th batch is announced, and inserted if ClickHouse answers, and then dies. Resolves to the metadata of both partitions. */
async function dieAfterAnnouncing(
  tenantId: string,
  allowed: number,
  env: Record<string, string>,
): Promise<string[]> {
  const stored = new Map<string, string>();
  await produce(someAttempts(tenantId, 400));
  let isDead = false;
  const victim = await startRecorder(
    env,
    losingCommits(allowed, stored, () => (isDead = true)),
  );
  const intents = () =>
    [0, 1].map((n) => stored.get(`${stack.prefix}attempts/${n}`) ?? "");
  // Without ClickHouse there is no commit after the one that announces.
  await waitFor(
    () => isDead || ("CLICKHOUSE_URL" in env && intents().join() !== ","),
  );
  await victim.recorder.stop(Date.now() + 10_000);
  return intents();
}

test.each([1, 2])(
  "a death after announcement %i leaves each row once, although the next owner batches otherwise",
  async (allowed) => {
    const tenantId = `death-${allowed}`;
    const intents = await dieAfterAnnouncing(tenantId, allowed, {
      POSTRIDER_RECORD_BATCH_RECORDS: "150",
    });
    expect(intents.join()).toContain(`"intent":`);

    await startRecorder({ POSTRIDER_RECORD_BATCH_RECORDS: "31" });

    await expectAttempts(tenantId, 400);
  },
);

/** A Kafka whose recorders take no assignment of both partitions: they begin when each has one. */
function withOnePartition(): Kafka {
  return {
    ...kafka,
    consumer(options: ConsumerOptions) {
      const consumer = kafka.consumer(options);
      if (!options.groupId.includes("recorder.")) return consumer;
      const start = consumer.start.bind(consumer);
      consumer.start = (listener) =>
        start({
          ...listener,
          assigned: (epoch, partitions, allAble) =>
            listener.assigned(
              epoch,
              partitions.length === 1 ? partitions : [],
              allAble,
            ),
        });
      return consumer;
    },
  };
}

test.each([
  ["inserted", { POSTRIDER_RECORD_BATCH_RECORDS: "150" }, 2],
  ["only announced", { CLICKHOUSE_URL: "http://127.0.0.1:1" }, 1],
])(
  "two recorders that each get one partition of a batch that was %s leave each row once",
  async (how, env, allowed) => {
    const tenantId = `parted, ${how}`;
    const intents = await dieAfterAnnouncing(tenantId, allowed, {
      // Long enough for records of both partitions to be there.
      POSTRIDER_RECORD_LINGER: "2s",
      ...env,
    });
    expect(intents[0]).toContain(`"intent":2`);
    expect(intents[1]).toBe(intents[0]);

    await Promise.all([
      startRecorder({}, withOnePartition()),
      startRecorder({}, withOnePartition()),
    ]);

    await expectAttempts(tenantId, 400);
  },
);

test("recorders that come and go while records flow leave each row once", async () => {
  const rounds = 6;
  await startRecorder({ POSTRIDER_RECORD_BATCH_RECORDS: "40" });
  for (let round = 0; round < rounds; round++) {
    const joining = startRecorder({ POSTRIDER_RECORD_BATCH_RECORDS: "25" });
    await produce(someAttempts(`moving-${round}`, 200));
    const { recorder } = await joining;
    await produce(someAttempts(`moved-${round}`, 200));
    await recorder.stop(Date.now() + 10_000);
  }

  await expectAttempts("moved-5", 200);
  for (let round = 0; round < rounds; round++)
    for (const tenantId of [`moving-${round}`, `moved-${round}`])
      expect(await counted("attempts", tenantId)).toBe("200/200");
});

test("a recorder that keeps no payloads leaves out one that is in its topic", async () => {
  const value = anIntake({
    tenantId: "kept out",
    receivedAt: NOW,
    decidedAt: NOW,
  });
  await produce([{ topic: "intake", key: "k", value }]);

  await startRecorder({ POSTRIDER_RECORD_PAYLOADS: "none" });

  const rows = await waitFor(async () => {
    const found = await writer.query(
      "SELECT payload, payload_bytes AS bytes FROM events WHERE tenant_id = 'kept out'",
    );
    return found.length > 0 && found;
  });
  expect(rows).toEqual([{ payload: "", bytes: value.payloadBytes }]);
});

test("a row that ClickHouse refuses becomes a dead letter, and its neighbours are rows", async () => {
  await writer.command(
    "ALTER TABLE attempts ADD CONSTRAINT not_this CHECK event_id != 'refuse me'",
  );
  await writer.command(
    "ALTER TABLE dead_letters ADD CONSTRAINT nor_this CHECK delivery_id != 'refuse me'",
  );
  const attempts = someAttempts("refused", 200);
  attempts[77] = {
    topic: "attempts",
    key: "k",
    value: anAttempt({
      tenantId: "refused",
      eventId: "refuse me",
      deliveryId: "refused-77",
      receivedAt: NOW,
      startedAt: NOW,
    }),
  };
  await produce([
    ...attempts,
    {
      topic: "dead-letters",
      key: "k",
      value: aDeadLetter({
        tenantId: "refused",
        deliveryId: "refuse me",
        receivedAt: NOW,
        deadAt: NOW,
      }),
    },
    {
      topic: "dead-letters",
      key: "k",
      value: aDeadLetter({
        tenantId: "refused",
        deliveryId: "fine",
        receivedAt: NOW,
        deadAt: NOW,
      }),
    },
  ]);

  await startRecorder();

  await waitFor(
    async () => (await counted("attempts", "refused")) === "199/199",
  );
  const rows = await waitFor(async () => {
    const found = await writer.query<{
      record_topic: string;
      log_topic: string;
    }>(
      "SELECT reason, stage, record_topic, log_topic FROM dead_letters WHERE reason = 'row_refused' ORDER BY record_topic",
    );
    return found.length === 2 && found;
  });
  expect(rows).toEqual([
    {
      reason: "row_refused",
      stage: "record",
      record_topic: `${stack.prefix}attempts`,
      log_topic: `${stack.prefix}dead-letters`,
    },
    {
      reason: "row_refused",
      stage: "record",
      record_topic: `${stack.prefix}dead-letters`,
      log_topic: `${stack.prefix}dead-letters`,
    },
  ]);
  expect(await counted("dead_letters", "refused")).toBe("1/1");
  await writer.command("ALTER TABLE attempts DROP CONSTRAINT not_this");
  await writer.command("ALTER TABLE dead_letters DROP CONSTRAINT nor_this");
});

test("garbage on each topic becomes a dead letter with its coordinates, and the good records between are recorded", async () => {
  const garbage = () => {
    const bytes = randomBytes(1 + Math.floor(Math.random() * 300));
    const start = [[], [0xc3, 0x01], [0x00], [0x7b]][
      Math.floor(Math.random() * 4)
    ]!;
    return Buffer.concat([Buffer.from(start), bytes]);
  };
  const topics = ["intake", "attempts", "dead-letters", "signals", "audit"];
  for (const topic of topics)
    await produce(
      Array.from({ length: 200 }, () => ({ topic, value: garbage() })),
    );
  await produce(someAttempts("among", 20));
  for (const topic of topics)
    await produce(
      Array.from({ length: 10 }, () => ({ topic, value: garbage() })),
    );

  await startRecorder();

  const rows = await waitFor(
    async () => {
      const found = await writer.query<{ topic: string; n: number }>(
        "SELECT record_topic AS topic, toUInt32(uniqExact(record_partition, record_offset)) AS n FROM dead_letters WHERE reason IN ('unreadable', 'unknown_schema') GROUP BY topic ORDER BY topic",
      );
      return (
        found.length === topics.length &&
        found.every(({ n }) => n === 210) &&
        found
      );
    },
    { timeoutMs: 60_000 },
  );
  expect(rows.map(({ topic }) => topic)).toEqual(
    [...topics].sort().map((topic) => stack.prefix + topic),
  );
  expect(await counted("attempts", "among")).toBe("20/20");
});

/** A proxy to ClickHouse whose connection can be cut. */
async function openGate(): Promise<{
  url: string;
  shut(): Promise<void>;
  open(): Promise<void>;
}> {
  const target = new URL(stack.clickhouseUrl);
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let port = 0;
  async function open(): Promise<void> {
    server = createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket
          .on("error", () => undefined)
          .on("close", () => sockets.delete(socket));
      }
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) =>
      server!.listen(port, "127.0.0.1", resolve),
    );
    port = (server.address() as AddressInfo).port;
  }
  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    open,
    async shut() {
      const closed = new Promise((resolve) => server!.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

test("while ClickHouse is away the recorder is alive, not ready, and says why; then it goes on by itself", async () => {
  const gate = await openGate();
  const { health } = await startRecorder({ CLICKHOUSE_URL: gate.url });
  await produce(someAttempts("before", 20));
  await waitFor(async () => (await counted("attempts", "before")) === "20/20");

  await gate.shut();
  await produce(someAttempts("during", 600));
  await waitFor(() =>
    health
      .ready()
      .some(
        ({ name, isOk, detail }) =>
          name === "record.attempts" &&
          !isOk &&
          detail.includes("ECONNREFUSED"),
      ),
  );
  expect(health.live().every(({ isOk }) => isOk)).toBe(true);
  await gate.open();

  await waitFor(() => health.ready().every(({ isOk }) => isOk));
  await expectAttempts("during", 600);
  await gate.shut();
});
