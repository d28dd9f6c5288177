import { afterEach, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import {
  aSignal,
  readTopics,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import type { Lifecycle } from "@postrider/runtime";
import { createKafka, type Kafka } from "../kafkajs/kafka.ts";
import { encodeOffsetMetadata } from "../offsets/offset-metadata.ts";
import { createOutput } from "../output/output.ts";
import type { InRecord, OutRecord } from "../record.ts";
import type { Codec } from "../schemas/avro-codec.ts";
import { createSchemas } from "../schemas/schemas.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import type { Decoder, Stage, Verdict } from "../stage.ts";
import { createStageRunner, type StageRunner } from "./stage-runner.ts";

const stack = useStack();
const running: Lifecycle[] = [];

afterEach(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 5000);
  running.length = 0;
});

/** Records are numbers in decimal; they go to `attempts` under the same key. */
const decode: Decoder<number> = (raw) => {
  const n = Number(raw.value!.toString());
  return Number.isNaN(n)
    ? { kind: "unreadable", reason: "unreadable", detail: "not a number" }
    : { kind: "decoded", value: n };
};

function connect(): {
  kafka: Kafka;
  effects: ReturnType<typeof testEffects>;
} {
  const effects = testEffects();
  const connection = { brokers: stack.brokers, clientId: "runner-test" };
  return { kafka: createKafka(connection, effects), effects };
}

interface Setup {
  readonly topic: string;
  readonly groupId: string;
  readonly handle?: (record: InRecord<number>) => Promise<void> | void;
  /** Default: the number, to `attempts`. */
  readonly outputOf?: (record: InRecord<number>) => OutRecord[];
  readonly encode?: Codec["encode"];
  readonly remember?: Stage<number>["remember"];
  /** Of a stage that winds down. */
  readonly windsDown?: Pick<Stage<number>, "longestMs" | "laneStanding">;
  readonly limits?: Partial<RunnerLimits>;
}

/** A runner whose stage passes every number on. */
async function startRunner(setup: Setup) {
  const { kafka, effects } = connect();
  const handled: number[] = [];
  const output = createOutput({
    kafka,
    encode:
      setup.encode ??
      ((record) =>
        Buffer.isBuffer(record.value)
          ? record.value
          : Buffer.from(JSON.stringify(record.value))),
    prefix: stack.prefix,
    deadLetterOf: createDeadLetterOf({ stage: "test", clock: effects.clock }),
    ...effects,
  });
  const stage: Stage<number> = {
    laneOf: (record) => record.raw.key?.toString() ?? "none",
    laneConcurrency: () => 8,
    ...(setup.remember && { remember: setup.remember }),
    ...setup.windsDown,
    handle: async (record): Promise<Verdict> => {
      await setup.handle?.(record);
      handled.push(record.value);
      const records = setup.outputOf?.(record) ?? [passedOn(record)];
      return { kind: "emit", records };
    },
  };
  const runner: StageRunner = createStageRunner({
    name: "test",
    stage,
    decode,
    kafka,
    groupId: stack.prefix + setup.groupId,
    topics: [setup.topic],
    output,
    ...effects,
    limits: { sessionTimeoutMs: stack.sessionTimeoutMs, ...setup.limits },
  });
  await output.start();
  running.push(output);
  await runner.start();
  running.push(runner);
  const stop = async () => {
    await runner.stop(Date.now() + 8000);
    await output.stop(Date.now() + 2000);
    running.splice(running.indexOf(output), 1);
    running.splice(running.indexOf(runner), 1);
  };
  return { runner, handled, effects, stop };
}

function passedOn({ raw, value }: InRecord<number>): OutRecord {
  return { topic: "attempts", key: raw.key, value: Buffer.from(String(value)) };
}

async function produce(
  topic: string,
  numbers: readonly (number | string)[],
): Promise<void> {
  const { kafka } = connect();
  const producer = await kafka.createProducer();
  for (let i = 0; i < numbers.length; i += 1000)
    await producer.sendBatch(
      numbers.slice(i, i + 1000).map((n, j) => ({
        topic,
        partition: (i + j) % 2,
        key: Buffer.from(`k${(i + j) % 7}`),
        value: Buffer.from(String(n)),
      })),
    );
  await producer.disconnect();
}

async function committed(groupId: string, topic: string) {
  const admin = connect().kafka.admin();
  await admin.connect();
  try {
    const [offsets, ranges] = await Promise.all([
      admin.fetchCommitted(stack.prefix + groupId, [topic]),
      admin.fetchLogRanges([topic]),
    ]);
    const ordered = ranges.toSorted((a, b) => a.partition - b.partition);
    return ordered.map(({ partition, start, end }) => ({
      partition,
      start,
      end,
      ...offsets.find((offset) => offset.partition === partition),
    }));
  } finally {
    await admin.disconnect();
  }
}

const upTo = (n: number, from = 0) =>
  Array.from({ length: n - from }, (_, i) => from + i);
const sorted = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b);

test("every record is handled, its output written, and all of it committed", async () => {
  const [topic] = await stack.createTopics("in-1", "attempts", "dead-letters");
  await produce(topic!, upTo(2000));

  const { handled, effects } = await startRunner({
    topic: topic!,
    groupId: "g1",
    handle: (record) => sleep(record.value % 17),
  });

  await waitFor(() => handled.length === 2000);
  expect(sorted(handled)).toEqual(upTo(2000));
  await waitFor(async () =>
    (await committed("g1", topic!)).every(({ offset, end }) => offset === end),
  );
  const output = await committed("g1", `${stack.prefix}attempts`);
  expect(output.reduce((sum, { end }) => sum + end, 0)).toBe(2000);
  expect(effects.log.of("commit.failed")).toEqual([]);
});

test("a value that fits no schema becomes a dead letter of its record, and the partition goes on", async () => {
  const [topic] = await stack.createTopics("in-unfit", "signals", "schemas");
  await produce(topic!, upTo(100));
  const { kafka, effects } = connect();
  const { prefix, sessionTimeoutMs } = stack;
  const base = { kafka, prefix, sessionTimeoutMs, ...effects };
  const schemas = createSchemas(base);
  await schemas.start();
  running.push(schemas);

  // A bug in every tenth: a number where the schema wants a text.
  const { handled } = await startRunner({
    topic: topic!,
    groupId: "g-unfit",
    encode: schemas.encode,
    outputOf: (record) => {
      const bug = record.value % 10 === 0 && { kind: 7 as unknown as string };
      const value = aSignal({ ...bug });
      return [passedOn(record), { topic: "signals", key: null, value }];
    },
  });

  await waitFor(async () =>
    (await committed("g-unfit", topic!)).every(
      ({ offset, end }) => offset === end,
    ),
  );
  expect(sorted(handled)).toEqual(upTo(100));
  const decodeLetter = schemas.decoderOf("dead-letters");
  const letters = (await readTopics(kafka, [`${prefix}dead-letters`]))
    .map((raw) => decodeLetter(raw))
    .flatMap((decoded) => (decoded.kind === "decoded" ? [decoded.value] : []))
    .filter(({ recordTopic }) => recordTopic === topic);
  expect(letters).toHaveLength(10);
  for (const letter of letters)
    expect(letter).toMatchObject({
      reason: "invalid",
      detail:
        "a value for signals does not fit its schema: kind must be string",
    });
});

test("a record that hangs holds back neither other records nor their commits", async () => {
  const [topic] = await stack.createTopics("in-2");
  await produce(topic!, upTo(500));
  const hung = Promise.withResolvers<void>();

  const first = await startRunner({
    topic: topic!,
    groupId: "g2",
    handle: (record) => (record.value === 3 ? hung.promise : undefined),
  });
  await waitFor(() => first.handled.length === 499);
  // The record that hangs is the second of its partition.
  await waitFor(async () => {
    const stored = await committed("g2", topic!);
    const uncommitted = stored.map(({ offset, end }) => end - offset!);
    expect(sorted(uncommitted)).toEqual([0, 249]);
    return true;
  });
  hung.resolve();
  await first.stop();

  expect(first.handled).toHaveLength(500);
});

test("after a clean stop nothing is repeated, though records had not started", async () => {
  const [topic] = await stack.createTopics("in-3");
  await produce(topic!, upTo(3000));

  const first = await startRunner({
    topic: topic!,
    groupId: "g3",
    handle: () => sleep(5),
    limits: { maxInFlight: 20 },
  });
  await waitFor(() => first.handled.length > 300);
  await first.stop();
  const second = await startRunner({ topic: topic!, groupId: "g3" });
  await waitFor(() => first.handled.length + second.handled.length >= 3000);
  await second.stop();

  expect(first.handled.length).toBeLessThan(3000);
  expect(sorted([...first.handled, ...second.handled])).toEqual(upTo(3000));
});

test("two members join and leave, nothing is lost, and what stays with a member goes on", async () => {
  const [topic] = await stack.createTopics("in-4");
  const setup = {
    topic: topic!,
    groupId: "g4",
    handle: () => sleep(2),
  };
  const first = await startRunner(setup);
  await waitFor(() => first.runner.stats().partitions === 2);
  await produce(topic!, upTo(2000));
  await waitFor(() => first.handled.length > 200);

  const second = await startRunner(setup);
  await waitFor(
    () =>
      first.runner.stats().partitions === 1 &&
      second.runner.stats().partitions === 1,
  );
  await produce(topic!, upTo(4000, 2000));
  await waitFor(() => second.handled.length > 200);
  await second.stop();
  await waitFor(() => first.runner.stats().partitions === 2);

  const all = () => [...first.handled, ...second.handled];
  await waitFor(() => new Set(all()).size === 4000);
  await waitFor(async () =>
    (await committed("g4", topic!)).every(({ offset, end }) => offset === end),
  );
  const lost = [first, second].flatMap(({ effects }) =>
    effects.log.of("partition.lost"),
  );
  // At most the records in flight on a partition that moved are repeated. That one moved shows that the second member joined.
  expect(lost.length).toBeGreaterThan(0);
  expect(all().length - 4000).toBeLessThanOrEqual(7 * 8 * lost.length);
});

test("an offset committed below the log goes on at its start and the loss is counted; one above goes on at its end; neither replays", async () => {
  const [topic] = await stack.createTopics("in-5");
  await produce(topic!, upTo(100));
  await commitRaw("g5", topic!, [
    { partition: 0, offset: 10, metadata: "" },
    { partition: 1, offset: 5000, metadata: "" },
  ]);
  await deleteRecords(topic!, 0, 30);

  const { handled, effects } = await startRunner({
    topic: topic!,
    groupId: "g5",
  });
  await waitFor(() => handled.length === 20);
  await waitFor(async () =>
    (await committed("g5", topic!)).every(({ offset, end }) => offset === end),
  );
  await produce(topic!, [100, 101]);
  await waitFor(() => handled.length === 22);

  expect(sorted(handled)).toEqual([
    ...upTo(50, 30).map((n) => n * 2),
    100,
    101,
  ]);
  const alerts = effects.log.of("partition.offsetsLost");
  expect(sorted(alerts.map(({ fields }) => Number(fields["lost"])))).toEqual([
    20, 4950,
  ]);
});

test("a log that is cut under a reader makes it go on at the new start, commit that, and count the loss", async () => {
  const [topic] = await stack.createTopics("in-6");
  await produce(topic!, upTo(20));
  const hung = Promise.withResolvers<void>();
  const begun = new Set<number>();
  // The window is full at once, so that the position stays behind while the log moves on.
  const { handled, effects } = await startRunner({
    topic: topic!,
    groupId: "g6",
    handle: ({ raw }) => {
      begun.add(raw.partition);
      return hung.promise;
    },
    limits: { maxOpenPerPartition: 2, maxBytesPerPartition: 64 },
  });
  await waitFor(() => begun.size === 2);
  await produce(topic!, upTo(2000, 20));
  await deleteRecords(topic!, 0, 900);
  await deleteRecords(topic!, 1, 900);
  hung.resolve();

  await waitFor(() => handled.includes(1999) && handled.includes(1998));
  await waitFor(async () =>
    (await committed("g6", topic!)).every(({ offset, end }) => offset === end),
  );
  const alerts = effects.log.of("partition.offsetsLost");
  expect(alerts.length).toBeGreaterThan(0);
  // "position": the loss was found by a fetch, and not when the partition was assigned.
  expect(alerts.every(({ fields }) => "position" in fields)).toBe(true);
  expect(handled.filter((n) => n >= 1800)).toHaveLength(200);
});

test("with metadata that is not ours, every record from the committed offset on is handled", async () => {
  const [topic] = await stack.createTopics("in-7");
  await produce(topic!, upTo(40));
  await commitRaw("g7", topic!, [
    { partition: 0, offset: 5, metadata: "garbage" },
    {
      partition: 1,
      offset: 5,
      // Ours, but written for another offset.
      metadata: encodeOffsetMetadata({
        base: 4,
        next: 19,
        runs: [4, 1],
        tag: "x",
        counter: 1,
      }),
    },
  ]);

  const { handled } = await startRunner({ topic: topic!, groupId: "g7" });

  await waitFor(() => handled.length >= 30);
  expect(sorted(handled)).toEqual(upTo(40, 10));
});

test("records that the metadata lists as open are handled; those it shows as done are only remembered, like the warm-up", async () => {
  const [topic] = await stack.createTopics("in-8");
  await produce(topic!, upTo(40));
  await commitRaw(
    "g8",
    topic!,
    [0, 1].map((partition) => ({
      partition,
      offset: 10,
      metadata: encodeOffsetMetadata({
        base: 10,
        next: 18,
        runs: [10, 1, 14, 2],
        tag: "x",
        counter: 1,
      }),
    })),
  );
  const remembered: number[] = [];

  const { handled } = await startRunner({
    topic: topic!,
    groupId: "g8",
    remember: ({ raw }) => remembered.push(raw.offset),
    limits: { warmUpRecords: 4 },
  });

  await waitFor(() => handled.length >= 10);
  const of = (offset: number) => [offset * 2, offset * 2 + 1];
  expect(sorted(handled)).toEqual([10, 14, 15, 18, 19].flatMap(of));
  expect(sorted(remembered)).toEqual(
    [6, 7, 8, 9, 11, 12, 13, 16, 17].flatMap((o) => [o, o]),
  );
});

test("a batch of aborted and control records only does not stop the position", async () => {
  const [topic] = await stack.createTopics("in-9");
  const { handled } = await startRunner({ topic: topic!, groupId: "g9" });
  const { Kafka: Client, logLevel } = await import("kafkajs");
  const client = new Client({
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  });
  const producer = client.producer({
    idempotent: true,
    transactionalId: `${stack.prefix}tx`,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const write = async (n: number, isAborted: boolean) => {
    const transaction = await producer.transaction();
    const messages = [{ partition: 0, key: "k", value: String(n) }];
    await transaction.send({ topic: topic!, messages });
    await (isAborted ? transaction.abort() : transaction.commit());
  };
  const isCommittedTo = async (end: number) => {
    const [first] = await committed("g9", topic!);
    return first!.offset === end && first!.end === end;
  };

  await write(1, true);
  await waitFor(() => isCommittedTo(2));
  await write(2, false);
  await waitFor(() => isCommittedTo(4));
  await producer.disconnect();

  expect(handled).toEqual([2]);
});

test("a record that cannot be read, or has no value, becomes a dead letter, and the partition goes on", async () => {
  const [topic] = await stack.createTopics("in-10");
  await produce(topic!, [1, "no number", 3]);
  const before = await committed("g10", `${stack.prefix}dead-letters`);

  const { handled } = await startRunner({ topic: topic!, groupId: "g10" });

  await waitFor(() => handled.length === 2);
  await waitFor(async () =>
    (await committed("g10", topic!)).every(({ offset, end }) => offset === end),
  );
  const after = await committed("g10", `${stack.prefix}dead-letters`);
  const count = (ranges: typeof after) =>
    ranges.reduce((sum, { end }) => sum + end, 0);
  expect(count(after) - count(before)).toBe(1);
});

/** Stores offsets for a group without members, as a tool would. */
async function commitRaw(
  groupId: string,
  topic: string,
  partitions: readonly {
    partition: number;
    offset: number;
    metadata: string;
  }[],
): Promise<void> {
  const { kafka } = connect();
  const consumer = kafka.consumer({
    groupId: stack.prefix + groupId,
    topics: [topic],
    sessionTimeoutMs: stack.sessionTimeoutMs,
  });
  const assigned = Promise.withResolvers<number>();
  await consumer.start({
    assigned: (epoch) => assigned.resolve(epoch),
    revoking: () => undefined,
    batch: () => undefined,
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  await consumer.commit(
    await assigned.promise,
    partitions.map((partition) => ({ topic, ...partition })),
  );
  await consumer.stop();
}

async function deleteRecords(
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const { Kafka: Client, logLevel } = await import("kafkajs");
  const admin = new Client({
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  // kafkajs takes the leaders from the metadata that it has loaded of the topic.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({
    topic,
    partitions: [{ partition, offset: String(offset) }],
  });
  await admin.disconnect();
}

test("while a member stops and waits for slow records, it is given none of the partitions of another that leaves: these go on", async () => {
  const { kafka } = connect();
  const topic = `${stack.prefix}leaving`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics([
    { topic, partitions: 6, replicationFactor: -1, config: {} },
  ]);
  await admin.disconnect();
  const slow = Promise.withResolvers<void>();
  const setup = {
    topic,
    groupId: "leaving",
    // In a lane that is not proven nothing starts while a stop winds down.
    windsDown: { longestMs: () => 15_000, laneStanding: () => "unknown" },
    outputOf: () => [],
  } satisfies Setup;
  let started = 0;
  const stopping = await startRunner({
    ...setup,
    handle: () => {
      started++;
      return slow.promise;
    },
  });
  const leaving = await startRunner(setup);
  const staying = await startRunner(setup);
  await waitFor(() =>
    [stopping, leaving, staying].every(
      ({ runner }) => runner.stats().partitions === 2,
    ),
  );
  const producer = await kafka.createProducer();
  const writeToEach = (first: number): Promise<void> =>
    producer.sendBatch(
      [0, 1, 2, 3, 4, 5].map((partition) => ({
        topic,
        partition,
        key: Buffer.from(`k${partition}`),
        value: Buffer.from(String(first + partition)),
      })),
    );
  await writeToEach(0);
  await waitFor(() => started === 2);

  const stopped = stopping.runner.stop(Date.now() + 100_000);
  await leaving.stop();
  await writeToEach(10);

  const later = () => new Set(staying.handled.filter((n) => n >= 10)).size;
  await waitFor(() => later() === 4);
  slow.resolve();
  await stopped;
  await waitFor(() => later() === 6);
  await producer.disconnect();
});
