import { expect, test } from "@jest/globals";
import {
  TOPIC,
  eachInItsOwnLane,
  inOneLane,
  soon,
  storedCommit,
  turns,
  useStageRunner,
} from "@postrider/testkit";

const runners = useStageRunner();

test("a kept partition keeps its queue and its records in flight, and is read on from its position", async () => {
  const under = await runners.started(["a/1", "a/2", "b/1"]);
  under.handlingOf("b/1").emit();
  await soon(() => under.consumer.stored.has(0));
  under.consumer.revoke();
  under.handlingOf("a/1").emit();
  await turns();

  await under.assign(0, 1);
  await under.committedTo(1);

  expect(under.consumer.seeks.slice(-2)).toContainEqual([0, 3]);
  expect(under.started).toEqual(["a/1", "b/1", "a/2"]);
  expect(under.consumer.commits.at(-1)![0]).toBe(2);
});

test("a partition that another member had meanwhile begins anew, and records that were in flight are not committed", async () => {
  const forgotten: number[] = [];
  const under = await runners.started(["a/1", "a/2", "b/1"], {
    stage: { forget: ({ partition }) => void forgotten.push(partition) },
  });
  const [old] = under.handling;
  under.consumer.stored.set(
    0,
    storedCommit({ offset: 1, next: 3, open: [1] }, "another"),
  );

  await under.assign(0, 1);
  under.consumer.deliver();
  old!.emit();
  await turns();

  expect(forgotten).toEqual([0]);
  expect(under.started.slice(2)).toEqual(["a/2"]);
  expect(under.output.sent).toHaveLength(1);
  expect(under.consumer.commits).toEqual([]);
});

test("of a lost partition, records that have not started are forgotten, and those in flight are produced but not committed", async () => {
  const under = await runners.started(["a/1", "a/2"]);
  under.consumer.append(1, "c/1");
  under.consumer.deliver();

  await under.assign(1);
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
  const under = await runners.started([]);
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
  const under = await runners.started(["a/1", "b/1", "c/1"]);
  under.consumer.append(0, "d/1", "e/1");

  under.consumer.positions.set(0, 4);
  under.consumer.deliver();
  expect(under.started).toEqual(["a/1", "b/1", "c/1"]);
  under.consumer.deliver();

  expect(under.consumer.seeks.at(-1)).toEqual([0, 3]);
  expect(under.started).toEqual(["a/1", "b/1", "c/1", "d/1", "e/1"]);
});

test("a batch that is read again below our position repeats nothing", async () => {
  const under = await runners.started(["a/1", "b/1"]);
  under.consumer.append(0, "c/1");

  under.consumer.positions.set(0, 0);
  under.consumer.deliver();

  expect(under.started).toEqual(["a/1", "b/1", "c/1"]);
});

test("while the committed offset cannot be fetched, nothing is read, and it is asked again", async () => {
  const under = runners.create();
  under.consumer.append(0, "a/1");
  await under.runner.start();
  under.consumer.fetchGate = Promise.reject(new Error("away"));
  under.consumer.fetchGate.catch(() => undefined);
  under.consumer.assign(0);
  await soon(() => under.log.of("assignment.notLoaded").length > 0);
  expect(
    under.runner.health().ready.find(({ name }) => name === "test.assignment")!
      .isOk,
  ).toBe(false);

  under.consumer.fetchGate = null;

  await soon(() => under.consumer.deliver());
  expect(under.started).toEqual(["a/1"]);
});

test("offsets that the metadata lists as open, but the log has no longer, are done", async () => {
  const under = runners.create();
  under.consumer.stored.set(
    0,
    storedCommit({ offset: 2, next: 9, open: [2, 3, 6] }, "before-us"),
  );
  // 3 and 6 were compacted away.
  for (const offset of [0, 1, 2, 4, 5, 7, 8, 9])
    under.consumer.appendAt(0, offset, `l${offset}/1`);
  await under.startWith(0);

  under.consumer.deliver();
  under.emitAll();

  expect(under.started).toEqual(["l2/1", "l9/1"]);
  await under.committedTo(10);
});

test("a commit still lists the open offsets of the metadata before they have been read again", async () => {
  const under = runners.create();
  under.consumer.stored.set(
    0,
    storedCommit({ offset: 0, next: 9, open: [0, 6, 7] }, "before-us"),
  );
  under.consumer.append(0, ...eachInItsOwnLane("l", 9));
  await under.startWith(0);

  under.consumer.deliver(2);
  under.handlingOf("l0/1").emit();
  await soon(() => under.consumer.commits.length > 0);

  expect(under.lastCommit()).toEqual({ offset: 6, next: 9, open: [6, 7] });
});

test("long metadata that is not ours puts no pressure on the window: the partition is read", async () => {
  const under = runners.create();
  under.consumer.append(0, ...eachInItsOwnLane("l", 3));
  under.consumer.stored.set(0, { offset: 1, metadata: "x".repeat(4096) });
  await under.startWith(0);

  under.consumer.deliver();

  expect(under.started).toEqual(["l1/1", "l2/1"]);
});

test("a warm-up of large records is cut to about the bytes that it may read", async () => {
  const remembered: number[] = [];
  const under = runners.create({
    limits: { warmUpRecords: 1000, warmUpBytes: 10_000 },
    stage: { remember: ({ raw }) => void remembered.push(raw.offset) },
  });
  const large = `a/${"x".repeat(1000)}`;
  under.consumer.append(0, ...Array.from({ length: 1010 }, () => large));
  under.consumer.stored.set(0, { offset: 1000, metadata: "" });
  await under.startWith(0);

  while (under.consumer.deliver(20));

  expect(under.consumer.seeks[0]).toEqual([0, 0]);
  expect(remembered.length).toBeLessThan(100);
  expect(remembered.at(-1)).toBe(999);
  expect(under.started).toHaveLength(1);
});

test("a warm-up that skipped too much, because small records come after large ones, goes back before anything is handled", async () => {
  let remembered: number[] = [];
  const under = runners.create({
    limits: { warmUpRecords: 1000, warmUpBytes: 10_000 },
    stage: {
      remember: ({ raw }) => void remembered.push(raw.offset),
      forget: () => (remembered = []),
    },
  });
  const large = `a/${"x".repeat(1000)}`;
  under.consumer.append(0, ...Array.from({ length: 600 }, () => large));
  under.consumer.append(0, ...inOneLane("a", 401));
  under.consumer.stored.set(0, { offset: 1000, metadata: "" });
  await under.startWith(0);

  while (under.consumer.deliver(20));

  const [first = 0] = remembered;
  expect(first).toBeLessThanOrEqual(592);
  expect(remembered).toEqual(
    Array.from({ length: 1000 - first }, (_, i) => first + i),
  );
  expect(under.started).toEqual(["a/400"]);
});

test("a warm-up by time reads again every record written in that time, however many they are", async () => {
  const remembered: number[] = [];
  const under = runners.create({
    limits: { warmUpRecords: 100_000, warmUpMs: 60_000 },
    stage: { remember: ({ raw }) => void remembered.push(raw.offset) },
  });
  const { consumer, clock } = under;
  for (const [agoMs, count] of [
    [90_000, 5_000],
    [59_000, 15_000],
    [0, 1],
  ] as const) {
    consumer.writtenAt = clock.now() - agoMs;
    for (let n = 0; n < count; n++) consumer.append(0, "a/1");
  }
  consumer.stored.set(0, { offset: 20_000, metadata: "" });
  await under.startWith(0);

  while (consumer.deliver(5_000));

  expect(consumer.seeks).toEqual([[0, 5_000]]);
  expect(remembered).toHaveLength(15_000);
  expect(under.started).toHaveLength(1);
});

test("the bytes of a warm-up are shared by the partitions that are assigned", async () => {
  const remembered = [0, 0];
  const under = runners.create({
    limits: { warmUpRecords: 1000, warmUpBudgetBytes: 40_000 },
    stage: {
      remember: ({ raw }) => {
        remembered[raw.partition]! += raw.value!.length;
      },
    },
  });
  const large = `a/${"x".repeat(1000)}`;
  for (const partition of [0, 1]) {
    under.consumer.append(
      partition,
      ...Array.from({ length: 1000 }, () => large),
    );
    under.consumer.stored.set(partition, { offset: 1000, metadata: "" });
  }
  await under.startWith(0, 1);

  while (under.consumer.deliver(10));

  for (const bytes of remembered) {
    expect(bytes).toBeGreaterThan(15_000);
    expect(bytes).toBeLessThan(60_000);
  }
});

test("a position below the log goes on at its start; the loss is counted and the new position committed at once", async () => {
  const under = await runners.started(["a/1", "b/1"]);
  under.consumer.append(0, ...eachInItsOwnLane("c", 50));

  under.consumer.logStart.set(0, 30);
  under.consumer.deliver();
  await soon(() => under.consumer.commits.length > 0);

  expect(under.consumer.seeks.at(-1)).toEqual([0, 30]);
  expect(under.lastCommit()).toEqual({ offset: 0, next: 30, open: [0, 1] });
  // From our position, 2, to the log's start, 30.
  expect(under.log.of("partition.offsetsLost")[0]!.fields["lost"]).toBe(28);
  await soon(() => under.consumer.deliver());
  expect(under.started).toContain("c28/1");
});

test("a position above the log goes on at its end, and new records under old offsets are handled", async () => {
  const under = await runners.started(["a/1", "b/1", "c/1", "d/1"]);
  under.handlingOf("d/1").emit();
  await under.commitsSent(1);

  under.consumer.log(0).splice(2);
  under.consumer.deliver();
  await under.committedTo(2);
  under.read("new/1");

  expect(under.started.at(-1)).toBe("new/1");
  under.emitAll();
  await under.committedTo(3);
});
