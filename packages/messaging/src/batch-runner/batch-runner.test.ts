/** The runner over hand-made ports: a log, a group and a table in memory, each of which can be made to fail. */
import { afterEach, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { createBatchRunner } from "./batch-runner.ts";
import type { BatchRunner, BatchRunnerLimits } from "./batch-runner.ts";
import type { RecordStage } from "./batch-judge.ts";
import type { InsertResult, MendResult } from "./batch-target.ts";
import { decodeIntent, encodeIntent } from "./intent-metadata.ts";
import { StaleAssignmentError } from "../ports.ts";
import type { Consumer, ConsumerListener, TopicPartition } from "../ports.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { Decoded } from "../stage.ts";

const TOPIC = "p.attempts";

/** One member of one group over logs in memory. It behaves as the port says, out of range included. */
class HandMadeConsumer implements Consumer {
  readonly logs = new Map<number, RawRecord[]>();
  readonly starts = new Map<number, number>();
  readonly committed = new Map<number, { offset: number; metadata: string }>();
  readonly paused = new Set<number>();
  heartbeatAt = Infinity;
  isStopped = false;
  #positions = new Map<number, number>();
  #listener: ConsumerListener | null = null;
  #epoch = 0;

  append(partition: number, ...values: string[]): void {
    const log = this.logs.get(partition) ?? [];
    this.logs.set(partition, log);
    for (const value of values)
      log.push({
        topic: TOPIC,
        partition,
        offset: this.end(partition),
        timestamp: 1_000 + log.length,
        key: null,
        value: Buffer.from(value),
        headers: {},
      });
    this.#poll();
  }

  end(partition: number): number {
    const last = this.logs.get(partition)?.at(-1);
    return last === undefined
      ? (this.starts.get(partition) ?? 0)
      : last.offset + 1;
  }

  assign(...partitions: number[]): void {
    this.#epoch++;
    this.#positions.clear();
    for (const partition of partitions) this.paused.add(partition);
    this.#listener!.connected(true);
    this.#listener!.assigned(
      this.#epoch,
      partitions.map((partition) => ({ topic: TOPIC, partition })),
    );
  }

  start(listener: ConsumerListener): Promise<void> {
    this.#listener = listener;
    return Promise.resolve();
  }
  pause(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.paused.add(partition);
  }
  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.paused.delete(partition);
    this.#poll();
  }
  seek({ partition }: TopicPartition, offset: number): void {
    this.#positions.set(partition, offset);
    this.#poll();
  }
  commit(...[epoch, offsets]: Parameters<Consumer["commit"]>): Promise<void> {
    if (epoch !== this.#epoch || this.isStopped)
      return Promise.reject(new StaleAssignmentError("ended"));
    for (const { partition, offset, metadata } of offsets)
      this.committed.set(partition, { offset, metadata });
    return Promise.resolve();
  }
  fetchCommitted(partitions: readonly TopicPartition[]) {
    return Promise.resolve(
      partitions.map((source) => ({
        ...source,
        offset: null,
        metadata: "",
        ...this.committed.get(source.partition),
      })),
    );
  }
  fetchLogRanges(partitions: readonly TopicPartition[]) {
    return Promise.resolve(
      partitions.map((source) => ({
        ...source,
        start: this.starts.get(source.partition) ?? 0,
        end: this.end(source.partition),
      })),
    );
  }
  lastHeartbeatAt = () => Math.min(this.heartbeatAt, performance.now());
  lastFetchAt = () => performance.now();
  stop(): Promise<void> {
    this.isStopped = true;
    return Promise.resolve();
  }

  #poll(): void {
    const epoch = this.#epoch;
    setImmediate(() => {
      if (epoch !== this.#epoch || this.isStopped) return;
      for (const partition of this.#positions.keys()) this.#fetch(partition);
    });
  }

  #fetch(partition: number): void {
    const position = this.#positions.get(partition)!;
    const start = this.starts.get(partition) ?? 0;
    const end = this.end(partition);
    if (this.paused.has(partition) || position === end) return;
    if (position < start || position > end) {
      this.paused.add(partition);
      this.#positions.delete(partition);
      this.#listener!.outOfRange(this.#epoch, { topic: TOPIC, partition });
      return;
    }
    this.#positions.set(partition, this.deliver(partition, position));
    this.#poll();
  }

  /** Hands over a fetch that began at `position`; gives the next one. */
  deliver(partition: number, position: number): number {
    const records = this.logs
      .get(partition)!
      .filter(({ offset }) => offset >= position)
      .slice(0, 4);
    const lastOffset = records.at(-1)!.offset;
    this.#listener!.batch(this.#epoch, {
      topic: TOPIC,
      partition,
      fetchOffset: position,
      records,
      lastOffset,
      highWatermark: this.end(partition),
    });
    return lastOffset + 1;
  }
}

/** A table that deduplicates by token; `answer` may make it fail, `forgets` lets it keep tokens without their rows. */
class HandMadeTable {
  readonly table = "attempts";
  readonly rows: string[] = [];
  readonly tokens: string[] = [];
  readonly looks: string[] = [];
  forgets = false;
  answer: (rows: readonly string[]) => InsertResult | Promise<InsertResult> =
    () => ({ kind: "inserted" });
  readonly #seen = new Set<string>();

  insert = async (
    rows: readonly string[],
    token: string,
  ): Promise<InsertResult> => {
    this.tokens.push(token);
    const answer = await this.answer(rows);
    if (answer.kind === "inserted" && !this.#seen.has(token) && !this.forgets)
      this.rows.push(...rows);
    if (answer.kind === "inserted") this.#seen.add(token);
    return answer;
  };

  mend = (rows: readonly string[], token: string): Promise<MendResult> => {
    this.looks.push(token);
    const missing = rows.filter((row) => !this.rows.includes(row));
    this.rows.push(...missing);
    return Promise.resolve({ kind: "mended", rows: missing.length });
  };
}

const running: BatchRunner[] = [];
afterEach(async () => {
  for (const runner of running.splice(0)) await runner.stop(Date.now() + 2_000);
});

async function start(
  options: {
    consumer?: HandMadeConsumer;
    limits?: Partial<BatchRunnerLimits>;
    stage?: RecordStage<string, string>;
  } = {},
) {
  const consumer = options.consumer ?? new HandMadeConsumer();
  const target = new HandMadeTable();
  const deadLetters: string[] = [];
  const lines: string[] = [];
  const schemas = new Set<string>();
  const line = (event: string) => void lines.push(event);
  const instrument = {
    inc: () => undefined,
    set: () => undefined,
    observe: () => undefined,
  };
  const lags = new Map<string, number>();
  const runner = createBatchRunner<string, string>({
    name: "record.attempts",
    topic: TOPIC,
    groupId: "g",
    stage: options.stage ?? { rowOf: ({ value }) => value },
    decode: ({ value }): Decoded<string> => {
      const text = value!.toString();
      const schema = /^schema:(\w+)/.exec(text)?.[1];
      if (schema !== undefined && !schemas.has(schema))
        return { kind: "unknown_schema", schema };
      if (text.startsWith("garbage"))
        return { kind: "unreadable", reason: "unreadable", detail: "no" };
      return { kind: "decoded", value: text };
    },
    target,
    kafka: { consumer: () => consumer },
    output: {
      send: (records) => {
        for (const { value } of records)
          deadLetters.push((value as Buffer).toString());
        return Promise.resolve();
      },
    },
    deadLetterOf: (raw, { reason }, at): OutRecord => ({
      topic: "dead-letters",
      key: null,
      value: Buffer.from(
        `${reason} ${raw.partition}/${raw.offset}${at > 0 ? "" : " without a time"}`,
      ),
    }),
    log: { debug: line, info: line, warn: line, error: line },
    meter: {
      counter: () => instrument,
      gauge: () => ({
        set: (value, labels) => lags.set(labels?.["partition"] ?? "", value),
      }),
      histogram: () => instrument,
    },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    random: () => 0,
    limits: { lingerMs: 1, unknownSchemaWaitMs: 60_000, ...options.limits },
  });
  running.push(runner);
  await runner.start();
  return { runner, consumer, target, deadLetters, lines, lags, schemas };
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; !condition(); n++) {
    if (n > 2_000) throw new Error(`in vain: ${String(condition)}`);
    await sleep(1);
  }
}

const letters = (count: number) =>
  Array.from({ length: count }, (_, n) => `r${n}`);

test("records go in batches of the configured size, and the offset after the last is committed without an intent", async () => {
  const { consumer, target } = await start({
    limits: { maxRecords: 10, lingerMs: 50 },
  });
  consumer.append(0, ...letters(25));

  consumer.assign(0);
  await until(
    () =>
      consumer.committed.get(0)?.offset === 25 &&
      consumer.committed.get(0)?.metadata === "",
  );

  expect(target.rows).toEqual(letters(25));
  expect(target.tokens).toEqual([
    "attempts-p.attempts-0-0-9-1000",
    "attempts-p.attempts-0-10-19-1010",
    "attempts-p.attempts-0-20-24-1020",
  ]);
});

test("a table that is slow to take a batch gets the next one larger", async () => {
  const { consumer, target } = await start({ limits: { lingerMs: 1 } });
  target.answer = async () => {
    await sleep(30);
    return { kind: "inserted" };
  };
  consumer.assign(0);
  consumer.append(0, "first");
  await until(() => target.rows.length === 1);

  // Apart by more than the linger, within the time that one insert has earned.
  for (const letter of letters(5)) {
    consumer.append(0, letter);
    await sleep(10);
  }
  await until(() => target.rows.length === 6);

  expect(target.tokens).toEqual([
    "attempts-p.attempts-0-0-0-1000",
    "attempts-p.attempts-0-1-5-1001",
  ]);
});

test("the lag is 0 before the first record, and again once all are recorded", async () => {
  const { consumer, lags } = await start();

  consumer.assign(0);
  await until(() => lags.get("0") === 0);
  consumer.append(0, ...letters(25));
  await until(() => consumer.committed.get(0)?.offset === 25);

  await until(() => lags.get("0") === 0);
});

test("a batch is bounded by bytes, and a record larger than that travels alone", async () => {
  const { consumer, target } = await start({ limits: { maxBytes: 1_000 } });
  const large = "x".repeat(2_000);
  consumer.append(0, "a", large, "b");

  consumer.assign(0);
  await until(() => target.rows.length === 3);

  expect(target.tokens).toHaveLength(3);
});

test("while an insert is under way its range stands in the commit's metadata, with the offset unchanged", async () => {
  const { consumer, target } = await start();
  const gate = Promise.withResolvers<InsertResult>();
  target.answer = () => gate.promise;
  consumer.append(0, "a", "garbage", "b");

  consumer.assign(0);
  await until(() => target.tokens.length === 1);

  const { offset, metadata } = consumer.committed.get(0)!;
  expect(offset).toBe(0);
  expect(decodeIntent(metadata)).toMatchObject({
    kind: "intent",
    intent: { first: 0, last: 2, excluded: [1] },
  });
  gate.resolve({ kind: "inserted" });
  await until(() => consumer.committed.get(0)?.offset === 3);
});

test("an assignment during an insert begins again under the same token, and the old one commits nothing", async () => {
  const { consumer, target } = await start();
  const gates = [
    Promise.withResolvers<InsertResult>(),
    Promise.withResolvers<InsertResult>(),
  ];
  target.answer = () => gates[target.tokens.length - 1]!.promise;
  consumer.append(0, "a", "b");
  consumer.assign(0);
  await until(() => target.tokens.length === 1);

  consumer.assign(0);
  await until(() => target.tokens.length === 2);
  gates[0]!.resolve({ kind: "inserted" });
  await sleep(5);
  const afterOld = consumer.committed.get(0)!.offset;
  gates[1]!.resolve({ kind: "inserted" });
  await until(() => consumer.committed.get(0)?.offset === 2);

  expect(afterOld).toBe(0);
  expect(target.tokens[1]).toBe(target.tokens[0]);
  expect(target.rows).toEqual(["a", "b"]);
});

test("fetching pauses while the table is away and goes on when it is back; the others are not held up", async () => {
  const { consumer, target, runner } = await start({
    limits: { maxRecords: 2 },
  });
  let isAway = true;
  target.answer = (rows) =>
    isAway && rows.includes("slow")
      ? {
          kind: "unavailable",
          detail: "ClickHouse cannot be reached: ECONNREFUSED",
          needsOperator: false,
        }
      : { kind: "inserted" };
  consumer.append(0, "slow", ...letters(50));
  consumer.append(1, "other");

  consumer.assign(0, 1);
  await until(() => target.rows.includes("other") && consumer.paused.has(0));
  expect(consumer.paused.has(1)).toBe(false);
  expect(
    runner.health().ready.find(({ name }) => name === "record.attempts"),
  ).toMatchObject({
    isOk: false,
    detail: "partition 0: ClickHouse cannot be reached: ECONNREFUSED",
  });
  expect(runner.health().live.every(({ isOk }) => isOk)).toBe(true);
  isAway = false;

  await until(() => target.rows.length === 52);
  expect(runner.health().ready.every(({ isOk }) => isOk)).toBe(true);
  expect(consumer.paused.has(0)).toBe(false);
});

test("a full queue pauses fetching before the memory is full", async () => {
  const { consumer, target } = await start({
    limits: { maxRecords: 2, maxBytes: 1_000, byteBudget: 2_000 },
  });
  const gate = Promise.withResolvers<InsertResult>();
  target.answer = () => gate.promise;
  consumer.append(0, ...letters(500));

  consumer.assign(0);
  await until(() => consumer.paused.has(0));
  gate.resolve({ kind: "inserted" });

  await until(() => target.rows.length === 500);
  expect(target.rows).toEqual(letters(500));
});

test("below the log's start while nobody says where that is: it is asked until it is told, and reading goes on", async () => {
  const { consumer, target, lines } = await start({ limits: { lingerMs: 1 } });
  consumer.append(0, ...letters(4));
  consumer.assign(0);
  await until(() => target.rows.length === 4);
  const ranges = consumer.fetchLogRanges.bind(consumer);
  let isAway = true;
  consumer.fetchLogRanges = (partitions) =>
    isAway ? Promise.reject(new Error("away")) : ranges(partitions);

  consumer.starts.set(0, 8);
  consumer.append(0, ...letters(10).slice(4));
  await until(() => lines.includes("partition.failed"));
  isAway = false;

  await until(() => target.rows.length === 6);
  expect(target.rows).toEqual(["r0", "r1", "r2", "r3", "r8", "r9"]);
});

test("below the log's start: what was held is recorded, the loss is told, and our commit is put back", async () => {
  const { consumer, target, lines } = await start();
  const gate = Promise.withResolvers<InsertResult>();
  target.answer = () => gate.promise;
  consumer.append(0, "held");
  consumer.assign(0);
  await until(() => target.tokens.length === 1);
  consumer.append(0, "lost 1", "lost 2", "kept");
  consumer.logs.set(0, consumer.logs.get(0)!.slice(3));
  consumer.starts.set(0, 3);
  await until(() => lines.includes("offset.belowStart"));
  await until(() => consumer.committed.get(0)?.metadata !== "");
  gate.resolve({ kind: "inserted" });

  await until(() => consumer.committed.get(0)?.offset === 4);
  expect(target.rows).toEqual(["held", "kept"]);
});

test("beyond the log's end: it goes on at the end, never at the beginning", async () => {
  const consumer = new HandMadeConsumer();
  consumer.append(0, "old 1", "old 2");
  consumer.committed.set(0, { offset: 900, metadata: "" });
  const { target, lines } = await start({ consumer });

  consumer.assign(0);
  await until(() => lines.includes("offset.beyondEnd"));
  consumer.append(0, "new");

  await until(() => target.rows.length === 1);
  expect(target.rows).toEqual(["new"]);
  await until(() => consumer.committed.get(0)?.offset === 3);
});

test("a log cut under a running partition is left at its end too", async () => {
  const { consumer, target, lines } = await start();
  consumer.append(0, "a", "b", "c");
  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 3);

  consumer.logs.set(0, []);
  consumer.append(0, "again a");
  await until(() => lines.includes("offset.beyondEnd"));
  consumer.append(0, "new");

  await until(() => target.rows.length === 4);
  expect(target.rows).toEqual(["a", "b", "c", "new"]);
});

test("the intent of another log is not repeated under its token", async () => {
  const consumer = new HandMadeConsumer();
  consumer.append(0, "a", "b");
  consumer.committed.set(0, {
    offset: 0,
    metadata: encodeIntent({
      first: 0,
      last: 1,
      firstTimestamp: 77,
      intendedAt: 1,
      excluded: [0],
    }),
  });
  const { target, lines } = await start({ consumer });

  consumer.assign(0);

  await until(() => consumer.committed.get(0)?.offset === 2);
  expect(lines).toContain("intent.foreign");
  expect(target.tokens).toEqual(["attempts-p.attempts-0-0-1-1000"]);
  expect(target.rows).toEqual(["a", "b"]);
});

test("an intent is fetched whole, although the queue is smaller and its owner's batches were larger", async () => {
  const consumer = new HandMadeConsumer();
  consumer.append(0, ...letters(100));
  consumer.committed.set(0, {
    offset: 0,
    metadata: encodeIntent({
      first: 0,
      last: 79,
      firstTimestamp: 1_000,
      intendedAt: 1,
      excluded: [5],
    }),
  });
  const { target, deadLetters } = await start({
    consumer,
    limits: { maxRecords: 3, maxBytes: 500, byteBudget: 500 },
  });

  consumer.assign(0);

  await until(() => target.rows.length === 99);
  expect(target.tokens[0]).toBe("attempts-p.attempts-0-0-79-1000");
  expect(deadLetters).toEqual(["row_refused 0/5"]);
});

test("a record whose schema is not known waits while other partitions go on, and is a row when it comes", async () => {
  const { consumer, target, runner, schemas } = await start({
    limits: { unknownSchemaWaitMs: 60_000 },
  });
  consumer.append(0, "a", "schema:s1", "b");
  consumer.append(1, "other");

  consumer.assign(0, 1);
  await until(() =>
    runner
      .health()
      .ready.some(
        ({ detail }) => detail === "partition 0: waits for schema s1",
      ),
  );
  await until(() => target.rows.length === 2);
  schemas.add("s1");

  await until(() => target.rows.length === 4);
  expect(target.rows.filter((row) => row !== "other")).toEqual([
    "a",
    "schema:s1",
    "b",
  ]);
});

test("schemas that never come make dead letters after one wait, however many they are", async () => {
  const { consumer, target, deadLetters } = await start({
    limits: { unknownSchemaWaitMs: 60 },
  });
  const lost = Array.from({ length: 40 }, (_, n) => `schema:lost${n}`);
  consumer.append(0, "a", ...lost, "b");
  const since = performance.now();

  consumer.assign(0);
  await until(() => target.rows.length === 2);

  expect(deadLetters).toHaveLength(40);
  expect(deadLetters[0]).toBe("unknown_schema 0/1");
  expect(performance.now() - since).toBeLessThan(40 * 60);
});

test("garbage becomes dead letters and its neighbours rows", async () => {
  const { consumer, target, deadLetters } = await start();
  consumer.append(0, "garbage", "a", "garbage", "garbage", "b", "garbage");

  consumer.assign(0);
  await until(
    () =>
      consumer.committed.get(0)?.offset === 6 &&
      consumer.committed.get(0)?.metadata === "",
  );

  expect(target.rows).toEqual(["a", "b"]);
  expect(deadLetters).toEqual([
    "unreadable 0/0",
    "unreadable 0/2",
    "unreadable 0/3",
    "unreadable 0/5",
  ]);
});

test("where rows are reduced, a refused record becomes one and is never produced", async () => {
  const { consumer, target, deadLetters } = await start({
    stage: {
      rowOf: ({ value }) => value,
      reducedRowOf: (raw, { reason }) => `${reason} ${raw.offset}`,
    },
  });
  target.answer = (rows) =>
    rows.includes("bad")
      ? { kind: "refused", detail: "bad" }
      : { kind: "inserted" };
  consumer.append(0, "a", "garbage", "bad", "b");

  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 4);

  expect(target.rows).toEqual(["a", "unreadable 1", "row_refused 2", "b"]);
  expect(deadLetters).toEqual([]);
});

test("a row that cannot be made is refused like one that the table refuses", async () => {
  const { consumer, target, deadLetters } = await start({
    stage: {
      rowOf: ({ value }) => {
        if (value === "odd") throw new Error("odd");
        return value;
      },
    },
  });
  consumer.append(0, "a", "odd", "b");

  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 3);

  expect(target.rows).toEqual(["a", "b"]);
  expect(deadLetters).toEqual(["row_refused 0/1"]);
});

test("an insert that failed before is looked at, and what the table forgot is put back before the commit", async () => {
  const { consumer, target, lines } = await start();
  let failures = 0;
  target.forgets = true;
  target.answer = () =>
    failures++ === 0
      ? { kind: "unavailable", detail: "ECONNRESET", needsOperator: false }
      : { kind: "inserted" };
  consumer.append(0, "a", "b");

  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 2);

  expect(target.rows).toEqual(["a", "b"]);
  expect(lines).toContain("rows.mended");
});

test("a range found announced is looked at once it is inserted", async () => {
  const { consumer, target } = await start();
  target.forgets = true;
  consumer.append(0, "a", "b", "c");
  consumer.committed.set(0, {
    offset: 0,
    metadata: encodeIntent({
      first: 0,
      last: 1,
      firstTimestamp: 1_000,
      intendedAt: 1,
      excluded: [],
    }),
  });

  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 3);

  expect(target.rows).toEqual(["a", "b"]); // "c" was answered the first time, and forgotten all the same
  expect(target.looks).toEqual([target.tokens[0]]);
});

test("a look that fails is repeated before the commit", async () => {
  const { consumer, target } = await start();
  let failures = 0;
  const fails = { detail: "ECONNRESET", needsOperator: false };
  target.answer = () =>
    failures++ === 0 ? { kind: "unavailable", ...fails } : { kind: "inserted" };
  const { mend } = target;
  let looks = 0;
  target.mend = (rows, token) =>
    looks++ === 0
      ? Promise.resolve({ kind: "unavailable", ...fails })
      : mend(rows, token);
  consumer.append(0, "a");

  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 1);

  expect(target.tokens).toHaveLength(2);
  expect(looks).toBe(2);
});

test("inserts that are answered the first time are not looked at", async () => {
  const { consumer, target } = await start({ limits: { maxRecords: 2 } });
  consumer.append(0, ...letters(10));

  consumer.assign(0);
  await until(() => consumer.committed.get(0)?.offset === 10);

  expect(target.looks).toEqual([]);
});

test("nothing is inserted while the coordinator has not heard of us", async () => {
  const { consumer, target, runner } = await start({
    limits: { sessionTimeoutMs: 1_000 },
  });
  consumer.heartbeatAt = performance.now() - 5_000;
  consumer.append(0, "a");

  consumer.assign(0);
  await until(() =>
    runner.health().ready.some(({ detail }) => detail.includes("lost contact")),
  );
  expect(target.tokens).toEqual([]);
  consumer.heartbeatAt = Infinity;

  await until(() => target.rows.length === 1);
});

test("a stop finishes the batch under way and commits it before it leaves the group", async () => {
  const { consumer, target, runner } = await start({
    limits: { maxRecords: 2 },
  });
  const gate = Promise.withResolvers<InsertResult>();
  target.answer = () => gate.promise;
  consumer.append(0, ...letters(10));
  consumer.assign(0);
  await until(() => target.tokens.length === 1);

  const stopped = runner.stop(Date.now() + 5_000);
  await sleep(5);
  expect(consumer.isStopped).toBe(false);
  gate.resolve({ kind: "inserted" });
  await stopped;

  expect(target.rows).toEqual(["r0", "r1"]);
  expect(consumer.committed.get(0)).toEqual({ offset: 2, metadata: "" });
  expect(consumer.isStopped).toBe(true);
});

test("a stop while the table is away does not wait for it, and leaves the intent", async () => {
  const { consumer, target, runner } = await start();
  target.answer = () => ({
    kind: "unavailable",
    detail: "away",
    needsOperator: false,
  });
  consumer.append(0, "a");
  consumer.assign(0);
  await until(() => target.tokens.length >= 1);
  const since = performance.now();

  await runner.stop(Date.now() + 30_000);

  expect(performance.now() - since).toBeLessThan(5_000);
  const stored = consumer.committed.get(0)!;
  expect(stored.offset).toBe(0);
  expect(decodeIntent(stored.metadata).kind).toBe("intent");
});

test("a fetch that began beyond our position is not taken: nothing is skipped", async () => {
  const { consumer, target } = await start();
  consumer.append(0, ...letters(20));
  consumer.assign(0);
  await until(() => target.rows.length === 20);

  consumer.append(0, "next", "last");
  consumer.deliver(0, 21);

  await until(() => target.rows.length === 22);
  expect(target.rows).toEqual([...letters(20), "next", "last"]);
});

test("an operator's fault keeps the batch and says what it is", async () => {
  const { consumer, target, runner, lines, deadLetters } = await start();
  let isMissing = true;
  target.answer = () =>
    isMissing
      ? {
          kind: "unavailable",
          detail: "ClickHouse answered 60 UNKNOWN_TABLE",
          needsOperator: true,
        }
      : { kind: "inserted" };
  consumer.append(0, "a");

  consumer.assign(0);
  await until(() => lines.includes("table.needsOperator"));
  expect(
    runner
      .health()
      .ready.some(({ detail }) => detail.includes("UNKNOWN_TABLE")),
  ).toBe(true);
  isMissing = false;

  await until(() => target.rows.length === 1);
  expect(deadLetters).toEqual([]);
});
