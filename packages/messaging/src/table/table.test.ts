import { afterEach, expect, test } from "@jest/globals";
import {
  FakeConsumer,
  TOPIC,
  decodeText,
  fakeClock,
  testEffects,
  turns,
  waitFor,
} from "@postrider/testkit";
import type { LogRange, TopicPartition } from "../ports.ts";
import type { RawRecord } from "../record.ts";
import type { Decoded, Decoder } from "../stage.ts";
import { createTable, type TableOptions } from "./table.ts";

/** Leaves out partitions without a leader, as the broker does. */
class ConsumerWithoutLeader extends FakeConsumer {
  leaderless = new Set<number>([1]);
  asked = 0;

  override async fetchLogRanges(
    partitions: readonly TopicPartition[],
  ): Promise<LogRange[]> {
    this.asked++;
    const ranges = await super.fetchLogRanges(partitions);
    return ranges.filter(({ partition }) => !this.leaderless.has(partition));
  }
}

test("while a partition has no leader the table is not loaded; once there is one, it has that partition's entries, too", async () => {
  const clock = fakeClock();
  const consumer = new ConsumerWithoutLeader({ topic: TOPIC, clock });
  const table = createTable<string>({
    ...testEffects(),
    clock,
    kafka: { consumer: () => consumer },
    topic: TOPIC,
    decode: decodeText,
  });
  consumer.append(0, "in the first");
  consumer.append(1, "in the second");
  let isLoaded = false;
  const started = table.start().then(() => (isLoaded = true));
  consumer.assign(0, 1);
  await waitFor(() => consumer.asked > 1, { everyMs: 1 });
  consumer.deliver();
  expect(isLoaded).toBe(false);

  consumer.leaderless.clear();
  await waitFor(() => consumer.deliver(), { everyMs: 1 });
  while (consumer.deliver());

  await started;
  // All records of this fake have one key, so look at the positions and not at the entries.
  expect(consumer.positions).toEqual(
    new Map([
      [0, 1],
      [1, 1],
    ]),
  );
  await table.stop(clock.now());
});

let fetching: NodeJS.Timeout | undefined;

afterEach(() => clearInterval(fetching));

/** From now on it fetches by itself. */
function follow(consumer: FakeConsumer): void {
  fetching = setInterval(() => consumer.deliver(), 5);
}

/** A table of one partition that has been read to its end. */
async function loadedTable<T = string>(
  decode = decodeText as Decoder<T>,
  changes: Pick<TableOptions<T>, "isKeptEncoded"> = {},
) {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const consumer = new ConsumerWithoutLeader({ topic: TOPIC, clock });
  const kafka = { consumer: () => consumer };
  const table = createTable<T>({
    ...effects,
    kafka,
    topic: TOPIC,
    decode,
    ...changes,
  });
  consumer.append(0, "first");
  const started = table.start();
  consumer.assign(0);
  await waitFor(() => consumer.deliver(), { everyMs: 1 });
  await started;
  return { ...effects, table, consumer, clock };
}

test("a table that waits for a place which its log has no longer asks anew, and is current again", async () => {
  const { table, consumer, clock } = await loadedTable();
  const { asked } = consumer;
  // Acknowledged by a leader that dies before we, or another replica, have fetched it.
  consumer.append(0, "lost", "lost");
  await waitFor(() => consumer.asked > asked, { everyMs: 1 });
  const readToEnd = table.readToEnd();
  await turns();

  consumer.log(0).splice(1);
  clock.advance(5_001);
  expect(table.behind()).toMatch(/was last read to its end 5001 ms ago/);

  await waitFor(() => table.behind() === null);
  await readToEnd;
  await table.stop(clock.now());
});

test("a table whose log ends below its position, because the topic was replaced, is not current until it has read the new log", async () => {
  const { table, consumer, clock } = await loadedTable();
  consumer.append(0, "second", "third");
  consumer.deliver();
  const endsOf = consumer.fetchLogEnds.bind(consumer);
  let answered = 0;
  consumer.fetchLogEnds = async (partitions) => {
    const ends = await endsOf(partitions);
    answered++;
    return ends;
  };

  consumer.logs.set(0, [record(0, "other", "of the new topic")]);
  clock.advance(5_001);
  const readToEnd = table.readToEnd();
  let isRead = false;
  void readToEnd.then(() => (isRead = true));
  const before = answered;
  await waitFor(() => answered > before + 2);
  await turns();
  expect(table.behind()).toMatch(/was last read to its end/);
  expect(isRead).toBe(false);

  // The fetch finds that the log has not its position.
  consumer.deliver();
  follow(consumer);
  await waitFor(() => table.behind() === null);
  await readToEnd;
  expect(Object.fromEntries(table.entries())).toEqual({
    other: "of the new topic",
  });
  await table.stop(clock.now());
});

test("a table that is loaded asks for the ends of its logs only", async () => {
  const { table, consumer, clock } = await loadedTable();
  const rangesOf = consumer.fetchLogRanges.bind(consumer);
  let asked = 0;
  consumer.fetchLogEnds = async (partitions) => {
    asked++;
    return await rangesOf(partitions);
  };
  consumer.fetchLogRanges = () => Promise.reject(new Error("not needed"));

  await waitFor(() => asked > 0);
  clock.advance(5_001);
  await waitFor(() => table.behind() === null);
  await table.readToEnd();
  await table.stop(clock.now());
});

function record(offset: number, key: string, value: string | null): RawRecord {
  return {
    topic: TOPIC,
    partition: 0,
    offset,
    timestamp: 1000 + offset,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: {},
  };
}

test("a table with a hole is loaded but behind, says where and what to do, and keeps what it had; read after all, it is current", async () => {
  const { table, consumer, clock, log } = await loadedTable();
  follow(consumer);
  // Offsets 1 to 4.
  consumer.appendUnreadable(0, 4);
  consumer.log(0).push(record(5, "changed", "new"), record(6, "deleted", null));

  await waitFor(() => table.behind() !== null, { everyMs: 1 });
  expect(table.behind()).toBe(
    `${TOPIC} cannot be read at partition 0, offsets 1 to 4 (offsets 1 to 4)`,
  );
  expect(table.health().ready).toMatchObject([
    { isOk: false, detail: table.behind() },
  ]);
  expect(table.get("key")).toBe("first");
  // Again and again, and told once.
  await waitFor(() => consumer.seeks.filter(([, at]) => at === 1).length > 1);
  expect(log.of("table.holeOpened")).toMatchObject([
    { level: "error", fields: { firstOffset: 1, lastOffset: 4 } },
  ]);

  const seen: [string, string | undefined][] = [];
  table.onChange((key, value) => seen.push([key, value]));
  consumer
    .log(0)
    .splice(
      1,
      1,
      record(1, "changed", "old"),
      record(2, "deleted", "there"),
      record(3, "found", "after all"),
      record(4, "key", "second"),
    );

  await waitFor(() => table.behind() === null);
  expect(Object.fromEntries(table.entries())).toEqual({
    key: "second",
    changed: "new",
    found: "after all",
  });
  // Nothing went back on the way.
  expect(seen).toEqual([
    ["found", "after all"],
    ["key", "second"],
  ]);
  expect(log.of("table.holeClosed")).toHaveLength(1);
  await table.stop(clock.now());
});

test("a table that is read anew, with a hole, drops nothing that may stand in the hole, until it was read whole", async () => {
  const { table, consumer, clock } = await loadedTable();
  consumer.append(0, "second", "third");
  consumer.deliver();
  follow(consumer);

  // Another log, shorter and unreadable.
  consumer.logs.set(0, []);
  consumer.appendUnreadable(0, 2);
  consumer.positions.set(0, 3);
  consumer.listener!.outOfRange(consumer.epoch, { topic: TOPIC, partition: 0 });
  await waitFor(() => table.behind()?.includes("cannot be read"));
  expect(table.get("key")).toBe("third");

  consumer.logs.set(0, [record(0, "other", "1"), record(1, "other", "2")]);
  await waitFor(() => table.behind() === null);

  expect(Object.fromEntries(table.entries())).toEqual({ other: "2" });
  await table.stop(clock.now());
});

test("a table that rejoined while it was read at first is as old as the log ends up to which it was read", async () => {
  const clock = fakeClock();
  const consumer = new ConsumerWithoutLeader({ topic: TOPIC, clock });
  const table = createTable<string>({
    ...testEffects({ clock }),
    kafka: { consumer: () => consumer },
    topic: TOPIC,
    decode: decodeText,
  });
  consumer.append(0, "first", "second");
  const started = table.start();
  consumer.assign(0);
  await waitFor(() => consumer.deliver(1), { everyMs: 1 });

  clock.advance(4_000);
  consumer.append(0, "written meanwhile");
  consumer.assign(0);
  await waitFor(() => consumer.deliver(1), { everyMs: 1 });
  await started;
  clock.advance(2_000);

  expect(table.behind()).toMatch(/was last read to its end 6000 ms ago/);
  while (consumer.deliver());
  await waitFor(() => table.behind() === null);
  await table.stop(clock.now());
});

test("a record with too many headers is left out and is no hole: its key is known, and no replica would have another", async () => {
  const { table, consumer, clock, log } = await loadedTable();
  follow(consumer);
  consumer.log(0).push({
    ...record(1, "key", "of a thousand headers"),
    unreadable: {
      lastOffset: 1,
      reason: "too_many_headers",
      detail: "offset 1: the record has 1001 headers; at most 1000 are taken",
    },
  });
  consumer.log(0).push(record(2, "other", "new"));

  await waitFor(() => table.get("other") === "new");

  expect(table.behind()).toBeNull();
  expect(table.get("key")).toBe("first");
  expect(log.of("table.recordLeftOut")).toMatchObject([
    { fields: { offset: 1, why: expect.stringContaining("1001 headers") } },
  ]);
  await table.stop(clock.now());
});

test.each([
  ["checksum", /^Let a replica that is whole lead the partition/],
  ["too_many_records", /^Every replica has the same bytes/],
] as const)(
  "what to do about a hole by %s is in its log line",
  async (reason, todo) => {
    const { table, consumer, clock, log } = await loadedTable();
    follow(consumer);
    const { unreadable, ...rest } = consumer.unreadable(0, 1, 4);
    consumer.log(0).push({ ...rest, unreadable: { ...unreadable!, reason } });

    await waitFor(() => table.behind() !== null, { everyMs: 1 });

    expect(log.of("table.holeOpened")).toMatchObject([
      { fields: { todo: expect.stringMatching(todo) } },
    ]);
    await table.stop(clock.now());
  },
);

test("a table's entries are as old as when it last held all of its topic: with a hole also while it reads on", async () => {
  const { table, consumer, clock, log } = await loadedTable();
  follow(consumer);
  clock.advance(2_000);
  await waitFor(() => table.ageMs() < 2_000);

  consumer.appendUnreadable(0, 4);
  await waitFor(() => table.behind() !== null, { everyMs: 1 });
  clock.advance(60_000);
  await waitFor(() => log.of("table.caughtUp").length > 0);
  expect(table.ageMs()).toBeGreaterThanOrEqual(60_000);
  consumer.logStart.set(0, 5);

  await waitFor(() => table.ageMs() < 60_000);
  await table.stop(clock.now());
});

test("a hole that the log no longer holds is none: the table is current again", async () => {
  const { table, consumer, clock } = await loadedTable();
  follow(consumer);
  consumer.appendUnreadable(0, 4);
  await waitFor(() => table.behind() !== null, { everyMs: 1 });

  consumer.logStart.set(0, 5);

  await waitFor(() => table.behind() === null);
  await table.stop(clock.now());
});

test("a loaded table is behind while a record waits for its schema, and the wait does not end while schemas may be lacking", async () => {
  let answer: Decoded<string> = {
    kind: "unknown_schema",
    schema: "s7",
    isSourceBehind: true,
  };
  const { table, consumer, clock, log } = await loadedTable(
    (raw): Decoded<string> =>
      raw.value?.toString() === "late" ? answer : decodeText(raw),
  );

  consumer.append(0, "late");
  consumer.deliver();
  const waits = `${TOPIC} has 1 record waiting for a schema, the first at partition 0, offset 1 (s7)`;
  expect(table.behind()).toBe(waits);
  clock.advance(3_600_000);
  await turns();
  expect(table.behind()).toBe(waits);
  expect(log.of("table.recordLeftOut")).toEqual([]);

  answer = { kind: "decoded", value: "came" };
  await waitFor(() => table.get("key") === "came");
  consumer.deliver();
  await waitFor(() => table.behind() === null);
  await table.stop(clock.now());
});

/** What decoded is a new object each time, so that tests see which one the table keeps. */
const decodeObject: Decoder<{ readonly text: string }> = (raw) => {
  const decoded = decodeText(raw);
  return decoded.kind === "decoded"
    ? { kind: "decoded", value: { text: decoded.value } }
    : decoded;
};

test("a table that is kept encoded keeps no value until it is asked for, and then this one", async () => {
  const values: unknown[] = [];
  const { table, consumer, clock } = await loadedTable(decodeObject, {
    isKeptEncoded: true,
  });
  table.onChange((_, value) => values.push(value));
  consumer.append(0, "sécond €");
  consumer.deliver();

  const asked = table.get("key");

  expect(values).toEqual([{ text: "sécond €" }]);
  expect(asked).toEqual(values[0]);
  expect(asked).not.toBe(values[0]);
  expect(table.get("key")).toBe(asked);
  expect([...table.entries()]).toEqual([["key", asked]]);
  await table.stop(clock.now());
});

test("a table that is kept encoded takes what is newer, keeps what it has when the newer cannot be read, and forgets what is removed", async () => {
  const { table, consumer, clock } = await loadedTable(decodeObject, {
    isKeptEncoded: true,
  });
  expect(table.get("key")).toEqual({ text: "first" });

  consumer.append(0, "second", "!");
  consumer.deliver();
  expect(table.get("key")).toEqual({ text: "second" });

  consumer.append(0, null);
  consumer.deliver();
  expect(table.get("key")).toBeUndefined();
  await table.stop(clock.now());
});
