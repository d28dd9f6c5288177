import { describe, expect, test } from "@jest/globals";
import type { DeadLetter } from "@postrider/core";
import {
  aDeadLetter,
  aDelivery,
  fakeClock,
  testEffects,
  waitFor,
} from "@postrider/testkit";
import type { Clock } from "@postrider/runtime";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import { OutputStoppedError, createOutput } from "./output.ts";
import {
  PartlyAcknowledgedError,
  RecordTooLargeError,
  TopicMissingError,
  type Producer,
  type ProducerRecord as RecordOf,
} from "../ports.ts";
import type { PartitionAdmin } from "./partition-counts.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import { createAvroCodec, type Codec } from "../schemas/avro-codec.ts";
import { readSchemaFiles } from "../schemas/schema-files.ts";
import { joined, lengthOf, type ValueBytes } from "../value-bytes.ts";

type ProducerRecord = RecordOf<ValueBytes>;

/** A fake broker: keeps the records that it acknowledged, and fails as the test says. */
class Broker {
  readonly stored: ProducerRecord[] = [];
  readonly batches: (readonly ProducerRecord[])[] = [];
  partitions = new Map([
    ["t.attempts", 2],
    ["t.signals", 1],
    ["t.dead-letters", 2],
  ]);
  maxRecordBytes = Infinity;
  maxPartitionBytes = Infinity;
  /** Errors thrown by the next batches, in order. `isStored`: the batch is stored before the error is thrown. */
  failures: (readonly [error: Error, isStored: boolean])[] = [];
  readonly warmed: string[] = [];
  producers = 0;
  discarded = 0;
  hold: Promise<void> | null = null;
  #inFlight = 0;
  mostInFlight = 0;

  readonly createProducer = (): Promise<Producer> => {
    this.producers += 1;
    let hasFailed = false;
    return Promise.resolve({
      sendBatch: async (records) => {
        expect(hasFailed).toBe(false);
        this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
        try {
          await (this.hold ?? Promise.resolve());
          this.#write(records);
        } catch (error) {
          hasFailed = true;
          throw error;
        } finally {
          this.#inFlight -= 1;
        }
      },
      warm: (topics) => {
        this.warmed.push(...topics);
        return Promise.resolve();
      },
      disconnect: () => {
        this.discarded += 1;
        return Promise.resolve();
      },
    });
  };

  asked: string[] = [];
  /** A test replaces it to make a count of partitions fail or hang. */
  counting: () => Promise<void> = () => Promise.resolve();
  admins = { made: 0, disconnected: 0 };

  admin(): PartitionAdmin {
    this.admins.made += 1;
    return {
      connect: () => Promise.resolve(),
      disconnect: () => {
        this.admins.disconnected += 1;
        return Promise.resolve();
      },
      partitionCounts: async (topics) => {
        this.asked.push(...topics);
        await this.counting();
        return new Map(
          [...this.partitions].filter(([topic]) => topics.includes(topic)),
        );
      },
    };
  }

  values(topic: string): string[] {
    return this.stored
      .filter((record) => record.topic === topic)
      .map((record) => joined(record.value!).toString("utf8"));
  }

  #write(records: readonly ProducerRecord[]): void {
    this.batches.push(records);
    const failure = this.failures.shift();
    if (failure !== undefined) {
      if (failure[1]) this.stored.push(...records);
      throw failure[0];
    }
    const bytes = new Map<string, number>();
    const refused = new Set<string>();
    for (const record of records) {
      const place = placeOf(record);
      const length = lengthOf(record.value!);
      bytes.set(place, (bytes.get(place) ?? 0) + length);
      if (
        length > this.maxRecordBytes ||
        bytes.get(place)! > this.maxPartitionBytes
      )
        refused.add(place);
    }
    // Each partition is refused or stored on its own, as by a real broker.
    const stored = records.filter((record) => !refused.has(placeOf(record)));
    this.stored.push(...stored);
    if (refused.size === 0) return;
    const error = new RecordTooLargeError("too large");
    throw stored.length === 0
      ? error
      : new PartlyAcknowledgedError(new Set(stored), error);
  }
}

const placeOf = ({ topic, partition }: ProducerRecord): string =>
  `${topic}/${partition}`;

function outputTo(
  broker: Broker,
  limits = {},
  clock?: Clock,
  encode: Codec["encodeInPieces"] = ({ value }) =>
    Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
  warm: readonly OutRecord["topic"][] = [],
  lingerMs = (_topic: OutRecord["topic"]) => 1,
) {
  const effects = testEffects(clock && { clock });
  const output = createOutput({
    kafka: broker,
    warm,
    encode,
    prefix: "t.",
    deadLetterOf: createDeadLetterOf({
      stage: "deliver",
      clock: effects.clock,
    }),
    limits,
    lingerMs,
    ...effects,
  });
  return { output, effects };
}

const attempt = (value: string, key: string | null = "ep_1"): OutRecord => ({
  topic: "attempts",
  key,
  value: Buffer.from(value),
});

const source: RawRecord = {
  topic: "t.deliveries",
  partition: 3,
  offset: 77,
  timestamp: 1_790_000_000_000,
  key: Buffer.from("ep_1"),
  value: Buffer.alloc(300 * 1024, 120),
  headers: { one: Buffer.from("1"), two: [Buffer.from("a"), Buffer.from("b")] },
};

const soon = (): number => Date.now() + 30_000;

function letterIn(broker: Broker): Omit<DeadLetter, "rawValue"> & {
  rawValue: { data: number[] };
} {
  return JSON.parse(broker.values("t.dead-letters")[0]!) as ReturnType<
    typeof letterIn
  >;
}

describe("what is sent", () => {
  test("ends once for each call, also if the stop leaves several of its records unsent", async () => {
    const { output } = outputTo(new Broker());
    const ended: (Error | null)[] = [];
    const note = (error: Error | null): void => void ended.push(error);
    const all = [attempt("a"), attempt("b"), attempt("c")];

    output.sendThen(all, undefined, note);
    await output.stop(soon());
    expect(ended).toEqual([expect.any(OutputStoppedError)]);
    output.sendThen(all, undefined, note);

    expect(ended).toHaveLength(2);
    expect(ended[1]).toBeInstanceOf(OutputStoppedError);
    await expect(output.send(all)).rejects.toThrow(OutputStoppedError);
  });

  test("is acknowledged when the broker has it, in batches", async () => {
    const broker = new Broker();
    const { output } = outputTo(broker);
    await output.start();

    const sends = Array.from({ length: 100 }, (_, i) =>
      output.send([attempt(`a${i}`), attempt(`b${i}`)]),
    );
    expect(output.unacknowledged()).toBe(200);
    await Promise.all(sends);

    expect(output.unacknowledged()).toBe(0);
    expect(output.oldestUnacknowledgedMs()).toBe(0);
    expect(broker.stored).toHaveLength(200);
    expect(broker.batches.length).toBeLessThan(5);
    expect(broker.producers).toBe(1);
    await output.stop(soon());
  });

  test("keeps its order within a partition, one batch in flight", async () => {
    const broker = new Broker();
    const { output } = outputTo(broker, { records: 7 });
    await output.start();
    const values = Array.from({ length: 100 }, (_, i) => `v${i}`);

    await Promise.all(values.map((value) => output.send([attempt(value)])));

    expect(broker.values("t.attempts")).toEqual(values);
    expect(new Set(broker.stored.map((r) => r.partition)).size).toBe(1);
    expect(broker.mostInFlight).toBe(1);
    await output.stop(soon());
  });

  test("of one key goes to the partition that the Java client would choose", async () => {
    const broker = new Broker();
    broker.partitions.set("t.attempts", 12);
    const { output } = outputTo(broker);
    await output.start();

    await output.send([attempt("x", "21"), attempt("y", "foobar")]);

    // Kafka's UtilsTest: murmur2("21") = -973932308, murmur2("foobar") = -790332482.
    expect(broker.stored.map((record) => record.partition)).toEqual([
      (-973932308 & 0x7fffffff) % 12,
      (-790332482 & 0x7fffffff) % 12,
    ]);
    await output.stop(soon());
  });

  test("waits for more records no longer than the linger, and not at all when a batch is full", async () => {
    const broker = new Broker();
    const { output } = outputTo(broker, { records: 2 });
    await output.start();

    await output.send([attempt("alone")]);
    await output.send([attempt("a"), attempt("b")]);

    expect(broker.batches.map((batch) => batch.length)).toEqual([1, 2]);
    await output.stop(soon());
  });

  test("goes when the first of its records waits no longer, whatever came before that record", async () => {
    const broker = new Broker();
    const { output } = outputTo(
      broker,
      {},
      undefined,
      undefined,
      [],
      (topic) => (topic === "attempts" ? 600_000 : 1),
    );
    await output.start();
    const patient = output.send([attempt("patient")]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(broker.batches).toEqual([]);

    await output.send([
      { topic: "dead-letters", key: null, value: Buffer.from("hurried") },
    ]);
    await patient;

    expect(broker.batches.map((batch) => batch.length)).toEqual([2]);
    const rest = output.send([attempt("last")]);
    await output.stop(soon());
    await rest;
  });

  test("is bounded by bytes of a partition, and a record over the bound travels alone", async () => {
    const broker = new Broker();
    const { output } = outputTo(broker, { partitionBytes: 1000 });
    await output.start();

    await output.send([
      attempt("x".repeat(400)),
      attempt("y".repeat(400)),
      attempt("z".repeat(400)),
      attempt("L".repeat(5000)),
      attempt("end"),
    ]);

    expect(
      broker.batches.map((batch) => batch.map((r) => r.value!.length)),
    ).toEqual([[400, 400], [400], [5000], [3]]);
    await output.stop(soon());
  });
});

describe("an error", () => {
  test("discards the producer, and the whole batch goes out by a new one", async () => {
    const broker = new Broker();
    broker.failures = [[new Error("connection closed"), true]];
    const { output, effects } = outputTo(broker);
    await output.start();

    await output.send([attempt("a"), attempt("b")]);

    expect(broker.producers).toBe(2);
    expect(broker.discarded).toBe(1);
    // Records that were stored before the answer was lost are stored twice; none is lost, and the order is kept.
    expect(broker.values("t.attempts")).toEqual(["a", "b", "a", "b"]);
    expect(effects.log.of("output.failed")).toHaveLength(1);
    expect(effects.log.of("output.recovered")).toHaveLength(1);
    await output.stop(soon());
  });

  test("is retried for as long as it lasts, and readiness says so", async () => {
    const broker = new Broker();
    broker.failures = Array.from({ length: 4 }, () => [
      new Error("broker is away"),
      false,
    ]);
    const { output } = outputTo(broker);
    await output.start();

    const sent = output.send([attempt("a")]);
    await waitFor(() => !output.health().ready[0]!.isOk);
    expect(output.health().ready[0]!.detail).toContain("broker is away");
    expect(output.oldestUnacknowledgedMs()).toBeGreaterThan(0);
    await sent;

    expect(output.health().ready[0]!.isOk).toBe(true);
    expect(broker.producers).toBe(5);
    await output.stop(soon());
  });

  test("that the producer does not report shows in readiness by the age of the oldest record", async () => {
    const broker = new Broker();
    const held = Promise.withResolvers<void>();
    broker.hold = held.promise;
    const clock = fakeClock();
    const { output } = outputTo(broker, {}, clock);
    await output.start();

    const sent = output.send([attempt("a"), attempt("b")]);
    clock.advance(100);
    expect(output.health().ready[0]!.isOk).toBe(true);
    clock.advance(1000);

    expect(output.oldestUnacknowledgedMs()).toBe(1100);
    expect(output.health().ready[0]).toMatchObject({
      isOk: false,
      detail: "the oldest record is unacknowledged for 1100 ms",
    });
    held.resolve();
    await sent;
    expect(output.health().ready[0]!.isOk).toBe(true);
    await output.stop(clock.now());
  });

  test("because a topic is missing holds its records until the topic exists", async () => {
    const broker = new Broker();
    broker.partitions.delete("t.attempts");
    const { output } = outputTo(broker);
    await output.start();

    const sent = output.send([attempt("a")]);
    await waitFor(() => !output.health().ready[0]!.isOk);
    expect(output.health().ready[0]!.detail).toContain("t.attempts");
    broker.partitions.set("t.attempts", 3);
    await sent;

    expect(broker.values("t.attempts")).toEqual(["a"]);
    await output.stop(soon());
  });

  test("because a topic was deleted gives its records new partitions", async () => {
    const broker = new Broker();
    broker.partitions.set("t.attempts", 12);
    const { output } = outputTo(broker);
    await output.start();
    await output.send([attempt("a", "foobar")]);

    broker.partitions.set("t.attempts", 1);
    broker.failures = [[new TopicMissingError("gone"), false]];
    await output.send([attempt("b", "foobar")]);

    expect(broker.stored.at(-1)!.partition).toBe(0);
    await output.stop(soon());
  });
});

describe("a record too large to write", () => {
  test("stands alone after halving, becomes a dead letter with its source's coordinates, and its neighbours are written once, in order", async () => {
    const broker = new Broker();
    broker.maxRecordBytes = 2 * 1024 * 1024;
    const { output } = outputTo(broker, { partitionBytes: Infinity });
    await output.start();
    const values = Array.from({ length: 11 }, (_, i) => `v${i}`);
    const records = values.map((value) => attempt(value));
    records[6] = attempt("L".repeat(2 * 1024 * 1024 + 1));

    await output.send(records, source);

    expect(broker.values("t.attempts")).toEqual(
      values.filter((value) => value !== "v6"),
    );
    const letter = letterIn(broker);
    expect(letter).toMatchObject({
      reason: "too_large",
      stage: "deliver",
      recordTopic: "t.deliveries",
      recordPartition: 3,
      recordOffset: 77,
      rawBytes: 300 * 1024,
    });
    expect(letter.rawValue.data).toHaveLength(256 * 1024);
    expect(broker.discarded).toBe(broker.producers - 1);
    await output.stop(soon());
  });

  test("in pieces, without a source, its dead letter has its own bytes", async () => {
    const broker = new Broker();
    broker.maxRecordBytes = 35 * 1024;
    const pieces = [Buffer.from("head"), Buffer.alloc(40 * 1024, "l")];
    const { output } = outputTo(broker, {}, undefined, ({ topic, value }) =>
      topic === "attempts"
        ? pieces
        : Buffer.from((value as DeadLetter).rawValue!),
    );
    await output.start();

    await output.send([attempt("")]);

    const [letter] = broker.values("t.dead-letters");
    expect(letter).toBe(
      Buffer.concat(pieces)
        .toString()
        .slice(0, 32 * 1024),
    );
    await output.stop(soon());
  });

  test("is cut further where even 256 KiB are refused", async () => {
    const broker = new Broker();
    broker.maxRecordBytes = 200 * 1024;
    const { output } = outputTo(broker);
    await output.start();

    await output.send([attempt("L".repeat(300 * 1024))], source);

    expect(letterIn(broker).rawValue.data).toHaveLength(32 * 1024);
    await output.stop(soon());
  });

  test("keeps its reason when it is a dead letter itself", async () => {
    const broker = new Broker();
    broker.maxRecordBytes = 1024 * 1024;
    const { output, effects } = outputTo(broker);
    await output.start();
    const made = createDeadLetterOf({ stage: "deliver", clock: effects.clock })(
      { ...source, value: null },
      "exhausted",
      "five attempts",
    );
    const letter = {
      ...(made.value as DeadLetter),
      rawValue: Buffer.alloc(600 * 1024),
    };

    await output.send([{ topic: "dead-letters", key: "ep_1", value: letter }]);

    expect(letterIn(broker)).toMatchObject({
      reason: "exhausted",
      rawBytes: 600 * 1024,
    });
    await output.stop(soon());
  });

  test("is not found in a batch that is too large only as a whole", async () => {
    const broker = new Broker();
    broker.maxPartitionBytes = 1000;
    const { output } = outputTo(broker);
    await output.start();

    await output.send(["x", "y", "z", "w"].map((c) => attempt(c.repeat(400))));

    expect(broker.values("t.attempts").map((value) => value[0])).toEqual([
      "x",
      "y",
      "z",
      "w",
    ]);
    expect(broker.values("t.dead-letters")).toEqual([]);
    await output.stop(soon());
  });
});

describe("stopping", () => {
  test("sends what waits first", async () => {
    const broker = new Broker();
    const { output } = outputTo(broker);
    await output.start();

    const sent = output.send([attempt("last")]);
    await output.stop(soon());
    await sent;

    expect(broker.values("t.attempts")).toEqual(["last"]);
    await expect(output.send([attempt("late")])).rejects.toThrow(
      OutputStoppedError,
    );
    await output.stop(soon());
  });

  test("rejects what the broker did not take by the deadline", async () => {
    const broker = new Broker();
    broker.hold = new Promise(() => undefined);
    const { output } = outputTo(broker);
    await output.start();

    const sent = output.send([attempt("stuck")]);
    const rejected = expect(sent).rejects.toThrow(OutputStoppedError);
    await output.stop(Date.now() + 50);
    await rejected;

    expect(output.unacknowledged()).toBe(0);
  });
});

const warmOutput = (broker: Broker, ...warm: OutRecord["topic"][]) =>
  outputTo(broker, {}, undefined, undefined, warm);

test("after a warm start, the first send does not ask how many partitions a topic has", async () => {
  const broker = new Broker();
  const { output } = warmOutput(broker, "attempts", "signals", "retry.1s");

  await output.start();
  await output.send([attempt("a")]);

  expect(broker.asked).toEqual(["t.attempts", "t.signals", "t.retry.1s"]);
  // A topic that does not exist must not keep the others from being prepared.
  expect(broker.warmed).toEqual(["t.attempts", "t.signals"]);
  await output.stop(soon());
  expect(broker.admins).toEqual({ made: 1, disconnected: 1 });
});

test("`start` resolves while the broker is away, and the first send succeeds once it is back", async () => {
  const broker = new Broker();
  broker.counting = () => Promise.reject(new Error("away"));
  const { output, effects } = warmOutput(broker, "attempts");

  await output.start();
  broker.counting = () => Promise.resolve();
  await output.send([attempt("a")]);

  expect(effects.log.of("output.notWarmed")).toHaveLength(1);
  expect(broker.values("t.attempts")).toEqual(["a"]);
  await output.stop(soon());
  expect(broker.admins).toEqual({ made: 2, disconnected: 2 });
});

test("a stop ends a `start` that waits for a broker that does not answer", async () => {
  const broker = new Broker();
  broker.counting = () => new Promise(() => undefined);
  const { output } = warmOutput(broker, "attempts");

  const started = output.start();
  await output.stop(Date.now());

  await started;
});

test("no record waits while partitions are counted again, however long that takes", async () => {
  const broker = new Broker();
  let passedMs = 0;
  const clock: Clock = {
    now: () => Date.now() + passedMs,
    monotonic: () => performance.now() + passedMs,
  };
  const { output } = outputTo(broker, {}, clock);
  await output.start();
  await output.send([attempt("a")]);

  broker.counting = () => new Promise(() => undefined);
  passedMs = 60 * 60_000;
  const sent = output.send([attempt("b")]);
  sent.catch(() => undefined);

  try {
    await waitFor(() => broker.values("t.attempts").length === 2);
  } finally {
    await output.stop(clock.now());
  }
});

describe("a value that does not fit its schema", () => {
  /** A value that the type forbids, but that a bug may produce. */
  const unfit = (fields: object): OutRecord => ({
    topic: "deliveries",
    key: "ep_1",
    value: { ...aDelivery({ deliveryId: "dlv_1", step: 2 }), ...fields },
  });

  function avroOutput(broker: Broker) {
    broker.partitions.set("t.deliveries", 1);
    const codec = createAvroCodec({
      schemas: readSchemaFiles(),
      writers: {
        byFingerprint: () => ({ kind: "unknown" }),
        byId: () => ({ kind: "unknown" }),
      },
    });
    const made = outputTo(broker, {}, undefined, codec.encode);
    const letters = () =>
      broker.stored
        .filter(({ topic }) => topic === "t.dead-letters")
        .map(({ value }) => {
          const raw = { ...source, value: value && joined(value) };
          const decoded = codec.decoderOf("dead-letters")(raw);
          if (decoded.kind !== "decoded") throw new Error(decoded.kind);
          return decoded.value;
        });
    return { ...made, letters };
  }

  test("becomes a dead letter of the record that it follows from, and its neighbours are written", async () => {
    const broker = new Broker();
    const { output, letters, effects } = avroOutput(broker);
    await output.start();

    await output.send(
      [attempt("a"), unfit({ attemptNumber: 1.5 }), attempt("b")],
      source,
    );

    expect(broker.values("t.attempts")).toEqual(["a", "b"]);
    expect(letters()).toMatchObject([
      {
        reason: "invalid",
        detail:
          "a value for deliveries does not fit its schema: attemptNumber must be int",
        field: "attemptNumber",
        rule: "int",
        stage: "deliver",
        recordTopic: "t.deliveries",
        recordPartition: 3,
        recordOffset: 77,
        rawBytes: 300 * 1024,
        deliveryId: "dlv_1",
        step: 2,
      },
    ]);
    expect(effects.log.of("record.unfit")).toMatchObject([
      {
        fields: {
          topic: "deliveries",
          field: "attemptNumber",
          sourceOffset: 77,
        },
      },
    ]);
    expect(output.unacknowledged()).toBe(0);
    await output.stop(soon());
  });

  test("becomes a dead letter without ids if the ids are what does not fit", async () => {
    const broker = new Broker();
    const { output, letters } = avroOutput(broker);
    await output.start();

    await output.send([unfit({ deliveryId: 7, endpointId: { a: 1 } })], source);

    expect(letters()).toMatchObject([
      {
        reason: "invalid",
        field: "deliveryId",
        deliveryId: null,
        endpointId: null,
        tenantId: "acme",
        recordTopic: "t.deliveries",
        recordOffset: 77,
      },
    ]);
    await output.stop(soon());
  });

  test("that is a dead letter keeps its reason, its ids and the raw record", async () => {
    const broker = new Broker();
    const { output, letters } = avroOutput(broker);
    await output.start();
    const value = {
      ...aDeadLetter({ reason: "exhausted", detail: "five attempts" }),
      lastStatusCode: "200",
    } as unknown as DeadLetter;

    await output.send([{ topic: "dead-letters", key: "k", value }], source);

    expect(letters()).toMatchObject([
      {
        reason: "exhausted",
        detail:
          "five attempts; a value for dead-letters does not fit its schema: lastStatusCode must be null or int",
        deliveryId: value.deliveryId,
        recordTopic: "t.deliveries",
        recordOffset: 77,
        rawBytes: 300 * 1024,
      },
    ]);
    await output.stop(soon());
  });

  test("that is a dead letter without a source is reduced to its reason, ids and coordinates", async () => {
    const broker = new Broker();
    const { output, letters } = avroOutput(broker);
    await output.start();
    const value = {
      ...aDeadLetter({ reason: "exhausted", detail: "five attempts" }),
      lastStatusCode: "200",
      rawValue: "text",
      sourceOffset: 2 ** 60,
    } as unknown as DeadLetter;

    await output.send([{ topic: "dead-letters", key: "k", value }]);

    expect(letters()).toMatchObject([
      {
        reason: "exhausted",
        detail:
          "five attempts; a value for dead-letters does not fit its schema: lastStatusCode must be null or int",
        lastStatusCode: null,
        rawValue: null,
        delivery: null,
        deliveryId: value.deliveryId,
        recordTopic: value.recordTopic,
        recordOffset: value.recordOffset,
        sourceOffset: -1,
      },
    ]);
    await output.stop(soon());
  });

  test("that is a dead letter in which no field fits still keeps the coordinates of its source", async () => {
    const broker = new Broker();
    const { output, letters } = avroOutput(broker);
    await output.start();
    const value = {} as unknown as DeadLetter;

    await output.send([{ topic: "dead-letters", key: "k", value }], source);

    expect(letters()).toMatchObject([
      {
        reason: "invalid",
        recordTopic: "t.deliveries",
        recordPartition: 3,
        recordOffset: 77,
      },
    ]);
    await output.stop(soon());
  });

  test("rejects its own call of `send`, and no other, if it follows from no record", async () => {
    const broker = new Broker();
    const { output } = avroOutput(broker);
    await output.start();

    await expect(
      output.send([attempt("a"), unfit({ step: "two" })]),
    ).rejects.toMatchObject({ code: "UNFIT_VALUE", field: "step" });
    await output.send([attempt("c")]);

    expect(broker.values("t.attempts")).toEqual(["c"]);
    expect(output.unacknowledged()).toBe(0);
    await output.stop(soon());
  });
});
