import { afterEach, expect, test } from "@jest/globals";
import { fakeClock, waitFor, type FakeClock } from "@postrider/testkit";
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
} from "../offsets/offset-metadata.ts";
import { CommitError } from "../ports.ts";
import {
  TOPIC,
  decodeText,
  runnerUnderTest,
  type RunnerUnderTest,
} from "./stage-runner.harness.ts";

let under: RunnerUnderTest | null = null;
let clock: FakeClock;

afterEach(async () => {
  // What the test left in flight is not waited for.
  await under?.runner.stop(clock.now());
  under = null;
});

/** A runner that owns partitions 0 and 1, with `values` in partition 0. */
async function started(
  values: readonly string[],
  options: Omit<Parameters<typeof runnerUnderTest>[0], "clock"> = {},
): Promise<RunnerUnderTest> {
  clock = fakeClock();
  under = runnerUnderTest({ clock, ...options });
  await under.runner.start();
  for (const value of values) under.consumer.append(0, value);
  await assigned(under, 0, 1);
  under.consumer.deliver();
  return under;
}

async function assigned(
  { consumer, lines }: RunnerUnderTest,
  ...partitions: number[]
): Promise<void> {
  const before = consumer.seeks.length;
  consumer.assign(...partitions);
  await waitFor(() => consumer.seeks.length >= before + partitions.length, {
    everyMs: 1,
    what: JSON.stringify(lines),
  });
  await waitFor(() => under!.runner.health().ready.every(({ isOk }) => isOk), {
    everyMs: 1,
  });
}

const soon = <T>(condition: () => T) =>
  waitFor(condition, { everyMs: 1, timeoutMs: 3000 });
const turns = async (n = 20) => {
  for (let i = 0; i < n; i++)
    await new Promise((resolve) => setImmediate(resolve));
};
const gateOf = ({ consumer }: RunnerUnderTest) => {
  const gate = Promise.withResolvers<void>();
  consumer.commitGate = gate.promise;
  return gate;
};
const lastCommit = ({ consumer }: RunnerUnderTest, partition = 0) => {
  const of = consumer.commits
    .flatMap(([, offsets]) => offsets)
    .filter((offset) => offset.partition === partition);
  const { offset, metadata } = of.at(-1)!;
  return { offset, ...decodeOffsetMetadata(metadata, offset)! };
};

test("a lane's records start in order, one after the other; another lane's do not wait for them", async () => {
  const { handlingOf, started: order } = await started(["a/1", "a/2", "b/1"]);

  expect(order).toEqual(["a/1", "b/1"]);
  handlingOf("a/1").emit();
  await soon(() => order.length === 3);
  expect(order).toEqual(["a/1", "b/1", "a/2"]);
});

test("a record is done only when its output is acknowledged; what is open stands in the metadata", async () => {
  const under = await started(["a/1", "b/1", "c/1"]);
  under.output.isPrompt = false;

  under.handlingOf("b/1").emit();
  await turns();
  expect(under.consumer.commits).toEqual([]);
  under.output.acknowledge();
  await soon(() => under.consumer.commits.length === 1);

  expect(lastCommit(under)).toMatchObject({
    offset: 0,
    next: 3,
    runs: [0, 1, 2, 1],
  });
});

test("an observer hears of each completion, and of each commit that was acknowledged, as it was stored", async () => {
  const heard: unknown[] = [];
  const under = await started(["a/1", "b/1"], {
    observer: {
      completed: (...at) => void heard.push(["completed", ...at]),
      committed: (topic, partition, offset, metadata) =>
        void heard.push([
          "committed",
          topic,
          partition,
          decodeOffsetMetadata(metadata, offset)!.runs,
        ]),
    },
  });

  under.consumer.commitGate = Promise.reject(new CommitError("away"));
  under.consumer.commitGate.catch(() => undefined);
  under.handlingOf("b/1").emit();
  await soon(() => under.consumer.commits.length === 1);
  await turns();
  expect(heard).toEqual([["completed", TOPIC, 0, 1]]);
  under.consumer.commitGate = null;
  clock.advance(100);

  await soon(() => heard.length === 2);
  expect(heard[1]).toEqual(["committed", TOPIC, 0, [0, 1]]);
});

test("a failed commit is not tried again: the next one says the same and more", async () => {
  const under = await started(["a/1", "b/1"]);
  const gate = Promise.withResolvers<void>();
  under.consumer.commitGate = gate.promise;
  under.handlingOf("a/1").emit();
  await soon(() => under.consumer.commits.length === 1);
  under.handlingOf("b/1").emit();
  await turns();

  under.consumer.commitGate = null;
  gate.reject(new CommitError("away"));
  await soon(() => {
    clock.advance(100);
    return under.consumer.commits.length === 2;
  });

  expect(lastCommit(under)).toMatchObject({ offset: 2, next: 2, runs: [] });
});

test("on revoking, what is done is committed before the call returns, though another commit is on its way", async () => {
  const under = await started(["a/1", "b/1"]);
  under.consumer.commitGate = new Promise(() => undefined);
  under.handlingOf("a/1").emit();
  await soon(() => under.consumer.commits.length === 1);
  under.handlingOf("b/1").emit();
  await turns();

  under.consumer.revoke();

  expect(under.consumer.commits.map(([epoch]) => epoch)).toEqual([1, 1]);
  expect(lastCommit(under)).toMatchObject({ offset: 2 });
});

test("when the last commit before a rebalance fails, though the one before it was acknowledged, the next assignment says it", async () => {
  const under = await started(["a/1", "b/1"]);
  const [first, last] = [gateOf(under), Promise.withResolvers<void>()];
  under.handlingOf("a/1").emit();
  await soon(() => under.consumer.commits.length === 1);
  under.consumer.commitGate = last.promise;
  under.handlingOf("b/1").emit();
  await turns();
  under.consumer.revoke();
  under.consumer.commitGate = null;

  first.resolve();
  await turns();
  last.reject(new CommitError("away"));
  await assigned(under, 0, 1);

  await soon(() => {
    clock.advance(100);
    return under.consumer.stored.get(0)?.offset === 2;
  });
});

test("an answer that comes late, to a commit of the assignment before, does not make one of this assignment forgotten", async () => {
  const under = await started(["a/1", "b/1"]);
  const [first, second] = [gateOf(under), Promise.withResolvers<void>()];
  under.handlingOf("a/1").emit();
  await soon(() => under.consumer.commits.length === 1);
  under.consumer.revoke();
  under.consumer.commitGate = null;
  await assigned(under, 0, 1);
  under.consumer.commitGate = second.promise;
  under.handlingOf("b/1").emit();
  await soon(() => under.consumer.commits.length === 2);

  first.resolve();
  await turns();
  under.consumer.commitGate = null;
  second.reject(new CommitError("away"));

  await soon(() => {
    clock.advance(100);
    return under.consumer.stored.get(0)?.offset === 2;
  });
});

test("between the sign of a rebalance and the new assignment nothing starts and nothing is committed", async () => {
  const under = await started(["a/1", "a/2", "b/1"]);
  under.consumer.revoke();

  under.handlingOf("a/1").emit();
  await turns();

  expect(under.started).toEqual(["a/1", "b/1"]);
  expect(under.consumer.commits).toEqual([]);
});

test("a kept partition keeps its queue and what is in flight, and is read on from where it stood", async () => {
  const under = await started(["a/1", "a/2", "b/1"]);
  under.handlingOf("b/1").emit();
  await soon(() => under.consumer.stored.has(0));
  under.consumer.revoke();
  under.handlingOf("a/1").emit();
  await turns();

  await assigned(under, 0, 1);
  await soon(() => lastCommit(under).offset === 1);

  expect(under.consumer.seeks.slice(-2)).toContainEqual([0, 3]);
  expect(under.started).toEqual(["a/1", "b/1", "a/2"]);
  expect(under.consumer.commits.at(-1)![0]).toBe(2);
});

test("a partition that another member had meanwhile begins anew, and what was in flight is not committed", async () => {
  const forgotten: number[] = [];
  const under = await started(["a/1", "a/2", "b/1"], {
    stage: { forget: ({ partition }) => void forgotten.push(partition) },
  });
  const [old] = under.handling;
  under.consumer.stored.set(0, {
    topic: TOPIC,
    partition: 0,
    offset: 1,
    metadata: encodeOffsetMetadata({
      base: 1,
      next: 3,
      runs: [1, 1],
      tag: "other",
      counter: 5,
    }),
  });

  await assigned(under, 0, 1);
  under.consumer.deliver();
  old!.emit();
  await turns();

  expect(forgotten).toEqual([0]);
  expect(under.started.slice(2)).toEqual(["a/2"]);
  expect(under.output.sent).toHaveLength(1);
  expect(under.consumer.commits).toEqual([]);
});

test("a partition that is lost: what has not started is forgotten, what is in flight is produced and not committed", async () => {
  const under = await started(["a/1", "a/2"]);
  under.consumer.append(1, "c/1");
  under.consumer.deliver();

  await assigned(under, 1);
  under.handlingOf("a/1").emit();
  under.handlingOf("c/1").emit();
  await soon(() => under.consumer.stored.has(1));

  expect(under.started).toEqual(["a/1", "c/1"]);
  expect(under.output.sent.map(({ source }) => source!.partition)).toEqual([
    0, 1,
  ]);
  expect(
    under.consumer.commits.flatMap(([, offsets]) =>
      offsets.map(({ partition }) => partition),
    ),
  ).toEqual([1]);
});

test("batches of an assignment that has ended, or of a partition that is not ours, are dropped", async () => {
  const under = await started([]);
  const batch = (partition: number) => {
    const offset = under.consumer.append(partition, "a/1");
    const records = [under.consumer.log(partition)[0]!];
    return {
      topic: TOPIC,
      partition,
      fetchOffset: 0,
      records,
      lastOffset: offset,
      highWatermark: 1,
    };
  };

  under.consumer.listener!.batch(0, batch(0));
  under.consumer.listener!.batch(1, batch(7));

  expect(under.started).toEqual([]);
});

test("a batch that begins beyond our position is not taken, and the gap is fetched", async () => {
  const under = await started(["a/1", "b/1", "c/1"]);
  for (const value of ["d/1", "e/1"]) under.consumer.append(0, value);

  under.consumer.positions.set(0, 4);
  under.consumer.deliver();
  expect(under.started).toEqual(["a/1", "b/1", "c/1"]);
  under.consumer.deliver();

  expect(under.consumer.seeks.at(-1)).toEqual([0, 3]);
  expect(under.started).toEqual(["a/1", "b/1", "c/1", "d/1", "e/1"]);
});

test("a batch that is read again below our position repeats nothing", async () => {
  const under = await started(["a/1", "b/1"]);
  under.consumer.append(0, "c/1");

  under.consumer.positions.set(0, 0);
  under.consumer.deliver();

  expect(under.started).toEqual(["a/1", "b/1", "c/1"]);
});

test.each([
  [
    "output is not acknowledged for a second",
    (u: RunnerUnderTest) => void (u.output.oldestMs = 1001),
    (u: RunnerUnderTest) => void (u.output.oldestMs = 0),
  ],
  [
    "the last heartbeat is 0.8 of the session timeout ago",
    () => clock.advance(24_001),
    (u: RunnerUnderTest) => void (u.consumer.heartbeatAt = clock.monotonic()),
  ],
])("nothing is started while %s", async (_name, stall, recover) => {
  const under = await started(["a/1"]);
  stall(under);
  under.consumer.append(0, "b/1");
  under.consumer.deliver();
  await turns();
  expect(under.started).toEqual(["a/1"]);

  recover(under);

  await soon(() => under.started.length === 2);
});

test("nothing is started while a due commit is not acknowledged for a second", async () => {
  const under = await started(["a/1", "a/2"]);
  const gate = Promise.withResolvers<void>();
  under.consumer.commitGate = gate.promise;
  under.handlingOf("a/1").emit();
  await soon(() => under.started.includes("a/2"));
  clock.advance(1001);
  under.consumer.append(0, "b/1");
  under.consumer.deliver();
  await turns();
  expect(under.started).toEqual(["a/1", "a/2"]);

  gate.resolve();

  await soon(() => under.started.includes("b/1"));
});

test("nothing is started while 2,000 output records are unacknowledged", async () => {
  const under = await started([], {
    isPrompt: true,
    stage: { laneConcurrency: () => Infinity },
  });
  under.output.isPrompt = false;
  for (let n = 0; n < 4000; n++) under.consumer.append(0, `a/${n}`);
  while (under.consumer.deliver()) await turns(2);
  await turns();
  // The look at the gate is taken every 128 starts.
  expect(under.started.length).toBeGreaterThanOrEqual(2000);
  expect(under.started.length).toBeLessThanOrEqual(2000 + 1000);

  under.output.isPrompt = true;
  under.output.acknowledge();

  await soon(() => under.started.length === 4000);
});

test("a handler that throws is tried again, first in its lane; its offset stays open meanwhile", async () => {
  const under = await started(["a/1", "a/2", "b/1"]);
  under.handlingOf("a/1").throw();
  under.handlingOf("b/1").emit();
  await soon(() => under.consumer.commits.length > 0);
  expect(lastCommit(under)).toMatchObject({ offset: 0, runs: [0, 2] });

  await soon(() => under.started.includes("a/2"));
  under.handlingOf("a/2").emit();
  await soon(
    () => under.started.filter((value) => value === "a/1").length === 2,
  );
  under.handlingOf("a/1").emit();

  await soon(() => lastCommit(under).offset === 3);
});

test("a rejected record becomes a dead letter with the raw record, and is done", async () => {
  const under = await started(["a/1"]);

  under.handlingOf("a/1").reject();
  await soon(() => lastCommit(under).offset === 1);

  const [{ records }] = under.output.sent as [(typeof under.output.sent)[0]];
  expect(records[0]).toMatchObject({
    topic: "dead-letters",
    key: Buffer.from("key"),
    value: {
      reason: "invalid",
      detail: "bad",
      stage: "test",
      recordTopic: TOPIC,
      recordPartition: 0,
      recordOffset: 0,
      rawKey: Buffer.from("key"),
      rawValue: Buffer.from("a/1"),
      rawBytes: 3,
    },
  });
});

test("a record that cannot be read, or has no value, is a dead letter and stops nobody", async () => {
  const under = await started([]);
  under.consumer.append(0, "!");
  under.consumer.append(0, null);
  under.consumer.append(0, "a/1");

  under.consumer.deliver();

  await soon(() => under.output.sent.length === 2);
  expect(under.started).toEqual(["a/1"]);
});

test("a raw value is cut at 256 KiB, and its size is told", async () => {
  const under = await started([`a/${"x".repeat(300_000)}`]);

  under.handling[0]!.reject();
  await soon(() => under.output.sent.length === 1);

  const { value } = under.output.sent[0]!.records[0] as unknown as {
    value: { rawValue: Buffer; rawBytes: number };
  };
  expect(value.rawValue).toHaveLength(262_144);
  expect(value.rawBytes).toBe(300_002);
});

test("a record of an unknown schema waits while its siblings go on, and is handled once the schema is there", async () => {
  let isKnown = false;
  const under = await started(["?", "a/1"], {
    decode: (raw) => {
      const decoded = decodeText(raw);
      return decoded.kind === "unknown_schema" && isKnown
        ? { kind: "decoded", value: "late/1" }
        : decoded;
    },
  });
  under.handlingOf("a/1").emit();
  await soon(() => lastCommit(under).offset === 0);
  expect(under.started).toEqual(["a/1"]);

  isKnown = true;
  clock.advance(300);

  await soon(() => under.started.includes("late/1"));
  under.handlingOf("late/1").emit();
  await soon(() => lastCommit(under).offset === 2);
});

test("a record whose schema does not come in time is a dead letter", async () => {
  const under = await started(["?"]);

  clock.advance(299_000);
  await turns();
  expect(under.output.sent).toEqual([]);
  under.consumer.heartbeatAt = clock.monotonic() + 2000;
  clock.advance(1001);

  await soon(() => under.output.sent.length === 1);
  expect(under.output.sent[0]!.records[0]!.value).toMatchObject({
    reason: "unknown_schema",
    rawValue: Buffer.from("?"),
  });
});

test("a full window of records without schema makes the runner not ready, but live", async () => {
  const under = await started(["?", "?", "?"], {
    limits: { maxOpenPerPartition: 2 },
  });

  const { ready, live } = under.runner.health();

  expect(ready.filter(({ isOk }) => !isOk).map(({ name }) => name)).toEqual([
    "test.schemas",
  ]);
  expect(live.every(({ isOk }) => isOk)).toBe(true);
});

test("a full window pauses the partition; what was fetched with it waits in memory, and is taken when there is room", async () => {
  const values = Array.from({ length: 12 }, (_, n) => `l${n}/1`);
  const under = await started(values, { limits: { maxOpenPerPartition: 8 } });
  expect(under.started).toHaveLength(8);
  expect(under.consumer.paused.has(0)).toBe(true);
  const { length: seeks } = under.consumer.seeks;

  for (const one of under.handling.slice()) one.emit();
  await soon(() => under.started.length === 12);

  await soon(() => !under.consumer.paused.has(0));
  expect(under.consumer.seeks).toHaveLength(seeks);
});

test("a partition is full at its share of the byte budget, and one record larger than that still passes", async () => {
  const under = await started(["a/1", `b/${"x".repeat(5000)}`, "c/1"], {
    limits: { byteBudget: 2000 },
  });
  expect(under.started.map((value) => value[0])).toEqual(["a", "b"]);

  for (const one of under.handling.slice()) one.emit();

  await soon(() => under.started.length === 3);
});

test("under pressure the slow lane hands over its newest records, each with the next slot; a fast lane hands over none", async () => {
  const slots: [string, number][] = [];
  const under = await started([], {
    limits: { maxOpenPerPartition: 100 },
    stage: {
      laneConcurrency: (lane) => (lane === "fast" ? 50 : 1),
      defer: ({ raw, value }, slotAt) => {
        slots.push([value, slotAt]);
        return [{ topic: "retry.1s", key: raw.key, value: raw.value! }];
      },
    },
  });
  for (let n = 0; n < 80; n++) under.consumer.append(0, `slow/${n}`);
  for (let n = 0; n < 19; n++) under.consumer.append(0, `fast/${n}`);
  under.consumer.deliver();
  clock.advance(1000);
  for (const one of under.handling.filter(({ value }) =>
    value.startsWith("fast"),
  ))
    one.emit();
  await turns();
  for (let n = 19; n < 60; n++) under.consumer.append(0, `fast/${n}`);

  under.consumer.deliver();
  await soon(() => slots.length > 0);
  await turns();

  const values = slots.map(([value]) => value);
  expect(values.every((value) => value.startsWith("slow"))).toBe(true);
  expect(values.at(-1)).toBe("slow/79");
  expect(values).toEqual(
    values.toSorted((a, b) => Number(a.slice(5)) - Number(b.slice(5))),
  );
  const times = slots.map(([, slotAt]) => slotAt);
  expect(times[0]).toBeGreaterThanOrEqual(clock.now() + 1000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
});

test("a healthy burst is not deferred: its partition pauses shortly instead", async () => {
  const slots: string[] = [];
  const under = await started([], {
    limits: { maxOpenPerPartition: 100 },
    stage: {
      laneConcurrency: () => 50,
      defer: ({ value }) => {
        slots.push(value);
        return [];
      },
    },
  });
  for (let n = 0; n < 200; n++) under.consumer.append(0, `a/${n}`);
  for (let round = 0; round < 8; round++) {
    under.consumer.deliver();
    clock.advance(100);
    for (const one of under.handling.slice()) one.emit();
    await turns();
  }

  expect(under.started).toHaveLength(200);
  expect(slots).toEqual([]);
});

test("offsets that the metadata lists as open, but the log has no longer, are done", async () => {
  clock = fakeClock();
  under = runnerUnderTest({ clock });
  const metadata = encodeOffsetMetadata({
    base: 2,
    next: 9,
    runs: [2, 2, 6, 1],
    tag: "old",
    counter: 1,
  });
  under.consumer.stored.set(0, {
    topic: TOPIC,
    partition: 0,
    offset: 2,
    metadata,
  });
  // 3 and 6 were compacted away.
  for (const offset of [0, 1, 2, 4, 5, 7, 8, 9])
    under.consumer.append(0, `l${offset}/1`, offset);
  await under.runner.start();
  await assigned(under, 0);

  under.consumer.deliver();
  expect(under.started).toEqual(["l2/1", "l9/1"]);
  for (const one of under.handling.slice()) one.emit();

  await soon(() => lastCommit(under!).offset === 10);
});

test("before what the metadata lists has been read again, a commit still lists it", async () => {
  clock = fakeClock();
  under = runnerUnderTest({ clock });
  const metadata = encodeOffsetMetadata({
    base: 0,
    next: 9,
    runs: [0, 1, 6, 2],
    tag: "old",
    counter: 1,
  });
  under.consumer.stored.set(0, {
    topic: TOPIC,
    partition: 0,
    offset: 0,
    metadata,
  });
  for (let n = 0; n < 9; n++) under.consumer.append(0, `l${n}/1`);
  await under.runner.start();
  await assigned(under, 0);

  under.consumer.deliver(2);
  under.handlingOf("l0/1").emit();
  await soon(() => under!.consumer.commits.length > 0);

  expect(lastCommit(under)).toMatchObject({ offset: 6, next: 9, runs: [6, 2] });
});

test("long metadata of somebody else is no pressure: the partition is read", async () => {
  clock = fakeClock();
  under = runnerUnderTest({ clock });
  for (let n = 0; n < 3; n++) under.consumer.append(0, `l${n}/1`);
  under.consumer.stored.set(0, {
    topic: TOPIC,
    partition: 0,
    offset: 1,
    metadata: "x".repeat(4096),
  });
  await under.runner.start();
  await assigned(under, 0);

  under.consumer.deliver();

  expect(under.started).toEqual(["l1/1", "l2/1"]);
});

test("a warm-up of large records is cut to about the bytes that it may read", async () => {
  const remembered: number[] = [];
  clock = fakeClock();
  under = runnerUnderTest({
    clock,
    limits: { warmUpRecords: 1000, warmUpBytes: 10_000 },
    stage: { remember: ({ raw }) => void remembered.push(raw.offset) },
  });
  for (let n = 0; n < 1010; n++)
    under.consumer.append(0, `a/${"x".repeat(1000)}`);
  under.consumer.stored.set(0, {
    topic: TOPIC,
    partition: 0,
    offset: 1000,
    metadata: "",
  });
  await under.runner.start();
  await assigned(under, 0);

  while (under.consumer.deliver(20));

  expect(under.consumer.seeks[0]).toEqual([0, 0]);
  expect(remembered.length).toBeLessThan(100);
  expect(remembered.at(-1)).toBe(999);
  expect(under.started).toHaveLength(1);
});

test("while the committed offset cannot be fetched, nothing is read, and it is asked again", async () => {
  clock = fakeClock();
  under = runnerUnderTest({ clock });
  under.consumer.append(0, "a/1");
  await under.runner.start();
  under.consumer.fetchGate = Promise.reject(new Error("away"));
  under.consumer.fetchGate.catch(() => undefined);
  under.consumer.assign(0);
  await soon(() =>
    under!.lines.some(({ event }) => event === "assignment.notLoaded"),
  );
  expect(
    under.runner.health().ready.find(({ name }) => name === "test.assignment")!
      .isOk,
  ).toBe(false);

  under.consumer.fetchGate = null;

  await soon(() => under!.consumer.deliver());
  expect(under.started).toEqual(["a/1"]);
});

test("outside the log: below, on at its start; the loss is counted and our position committed at once", async () => {
  const under = await started(["a/1", "b/1"]);
  for (let n = 0; n < 50; n++) under.consumer.append(0, `c${n}/1`);
  under.consumer.logStart.set(0, 30);
  under.consumer.pause([{ topic: TOPIC, partition: 0 }]);

  under.consumer.listener!.outOfRange(1, { topic: TOPIC, partition: 0 });
  await soon(() => under.consumer.commits.length > 0);

  expect(under.consumer.seeks.at(-1)).toEqual([0, 30]);
  expect(lastCommit(under)).toMatchObject({
    offset: 0,
    next: 30,
    runs: [0, 2],
  });
  expect(
    under.lines.find(({ event }) => event === "partition.offsetsLost")!.fields[
      "lost"
    ],
  ).toBe(28);
  await soon(() => under.consumer.deliver());
  expect(under.started).toContain("c28/1");
});

test("outside the log: above, on at its end, and new records under old offsets are handled", async () => {
  const under = await started(["a/1", "b/1", "c/1", "d/1"]);
  under.handlingOf("d/1").emit();
  await soon(() => under.consumer.commits.length === 1);
  under.consumer.log(0).splice(2);

  under.consumer.listener!.outOfRange(1, { topic: TOPIC, partition: 0 });
  await soon(() => lastCommit(under).offset === 2);
  under.consumer.append(0, "new/1");
  under.consumer.deliver();

  expect(under.started.at(-1)).toBe("new/1");
  for (const one of under.handling.slice()) one.emit();
  await soon(() => lastCommit(under).offset === 3);
});

test("a stop drops what has not started, finishes and commits what is in flight, and only then leaves the group", async () => {
  const under = await started(["a/1", "a/2", "b/1"]);
  const { calls } = under.consumer;

  const stopped = under.runner.stop(clock.now() + 10_000);
  for (const one of under.handling.slice()) one.emit();
  await stopped;

  expect(under.started).toEqual(["a/1", "b/1"]);
  expect(lastCommit(under)).toMatchObject({ offset: 1, next: 3, runs: [1, 1] });
  expect([
    calls.indexOf("pause"),
    calls.lastIndexOf("commit"),
    calls.indexOf("stop"),
  ]).toEqual([0, calls.length - 2, calls.length - 1]);
  await under.runner.stop(clock.now());
  expect(calls.filter((call) => call === "stop")).toHaveLength(1);
});

test("a stop tells its handlers when their time is over, and commits what that gives", async () => {
  const under = await started(["a/1", "b/1"], {
    stage: {
      handle: ({ value }, signal) =>
        new Promise((resolve) => {
          const emit = () => resolve({ kind: "emit", records: [] });
          if (value === "a/1") signal.addEventListener("abort", emit);
        }),
    },
  });

  await under.runner.stop(clock.now() + 400);

  expect(lastCommit(under)).toMatchObject({ offset: 1, next: 2, runs: [1, 1] });
});

test("a lane of unbounded concurrency holds thousands of waiting records, pauses at the limit and goes on", async () => {
  const under = await started([], {
    stage: { laneConcurrency: () => Infinity },
    limits: { maxInFlight: Infinity },
  });
  for (let n = 0; n < 6000; n++) under.consumer.append(0, `tier/${n}`);
  while (under.consumer.deliver());
  expect(under.handling).toHaveLength(4096);

  for (const one of under.handling.slice(0, 1500)) one.emit();
  await soon(() => under.started.length > 4096);
  while (under.started.length < 6000) {
    under.consumer.deliver();
    for (const one of under.handling.slice(0, 500)) one.emit();
    await turns(2);
  }

  expect(under.started).toEqual(
    Array.from({ length: 6000 }, (_, n) => `tier/${n}`),
  );
});

test("a verdict of many records is produced in bounded chunks, one after the other", async () => {
  function* many() {
    for (let n = 0; n < 1201; n++)
      yield {
        topic: "attempts" as const,
        key: `k${n}`,
        value: Buffer.from("v"),
      };
  }
  const under = await started([], {
    stage: { handle: async () => ({ kind: "emit", records: many() }) },
  });
  under.output.isPrompt = false;
  under.consumer.append(0, "a/1");
  under.consumer.deliver();

  const sizes: number[] = [];
  for (const expected of [1, 2, 3]) {
    await soon(() => under.output.sent.length === expected);
    sizes.push(under.output.sent.at(-1)!.records.length);
    under.output.acknowledge();
  }

  await soon(() => lastCommit(under).offset === 1);
  expect(sizes).toEqual([500, 500, 201]);
});
