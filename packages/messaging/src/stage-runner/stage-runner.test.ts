import { expect, test } from "@jest/globals";
import type { Meter } from "@postrider/runtime";
import { CommitError } from "../ports.ts";
import {
  TOPIC,
  inOneLane,
  soon,
  spelledCommit,
  turns,
  useStageRunner,
} from "@postrider/testkit";

const runners = useStageRunner();

test("a lane's records start in order, one after the other; another lane's do not wait for them", async () => {
  const under = await runners.started(["a/1", "a/2", "b/1"]);
  expect(under.started).toEqual(["a/1", "b/1"]);

  under.handlingOf("a/1").emit();

  await soon(() => under.started.length === 3);
  expect(under.started).toEqual(["a/1", "b/1", "a/2"]);
});

test("a record is done only when its output is acknowledged; the metadata lists the open offsets", async () => {
  const under = await runners.started(["a/1", "b/1", "c/1"]);
  under.output.isPrompt = false;

  under.handlingOf("b/1").emit();
  await turns();
  expect(under.consumer.commits).toEqual([]);
  under.output.acknowledge();

  await under.commitsSent(1);
  expect(under.lastCommit()).toEqual({ offset: 0, next: 3, open: [0, 2] });
});

test("gauges tell how much of its partitions a runner holds", async () => {
  const gauges = new Map<string, number>();
  const meter: Meter = {
    counter: () => ({ inc: () => undefined }),
    histogram: () => ({ observe: () => undefined }),
    gauge: (name) => ({ set: (value) => void gauges.set(name, value) }),
  };
  const under = await runners.started(["a/1", "a/2", "b/1", "limited/1"], {
    meter,
    stage: {
      laneRateLimit: (lane) =>
        lane === "limited"
          ? { perSecond: 1, nextStartAt: () => Infinity }
          : undefined,
    },
  });

  under.clock.advance(1_000);

  await soon(
    () =>
      gauges.get("postrider_open_records") === 4 &&
      gauges.get("postrider_queued_records") === 2,
  );
  expect(gauges.get("postrider_lanes")).toBe(3);
  expect(gauges.get("postrider_throttled_lanes")).toBe(1);
  expect(gauges.get("postrider_open_bytes")).toBeGreaterThan(0);
});

test("each assignment by the group is counted", async () => {
  const counts = new Map<string, number>();
  const meter: Meter = {
    counter: (name) => ({
      inc: (_labels, by = 1) =>
        void counts.set(name, (counts.get(name) ?? 0) + by),
    }),
    histogram: () => ({ observe: () => undefined }),
    gauge: () => ({ set: () => undefined }),
  };
  const under = await runners.started(["a/1"], { meter });
  const before = counts.get("postrider_assignments_total");

  await under.assign(0, 1);

  expect([before, counts.get("postrider_assignments_total")]).toEqual([1, 2]);
});

test("an observer hears of each completion, and of each commit that was acknowledged, as it was stored", async () => {
  const heard: unknown[] = [];
  const under = await runners.started(["a/1", "b/1"], {
    observer: {
      completed: (...at) => void heard.push(["completed", ...at]),
      committed: (topic, partition, offset, metadata) =>
        void heard.push([
          "committed",
          topic,
          partition,
          spelledCommit({ offset, metadata }).open,
        ]),
    },
  });

  under.holdCommits().reject(new CommitError("away"));
  under.handlingOf("b/1").emit();
  await under.commitsSent(1);
  await turns();
  expect(heard).toEqual([["completed", TOPIC, 0, 1]]);
  under.answerCommits();
  under.clock.advance(100);

  await soon(() => heard.length === 2);
  expect(heard[1]).toEqual(["committed", TOPIC, 0, [0]]);
});

test("a record whose handler throws is tried again, first in its lane; its offset stays open meanwhile", async () => {
  const under = await runners.started(["a/1", "a/2", "b/1"]);

  under.handlingOf("a/1").throw();
  under.handlingOf("b/1").emit();
  await soon(() => under.consumer.commits.length > 0);
  expect(under.lastCommit()).toMatchObject({ offset: 0, open: [0, 1] });
  await soon(() => under.started.includes("a/2"));
  under.handlingOf("a/2").emit();
  await soon(
    () => under.started.filter((value) => value === "a/1").length === 2,
  );
  under.handlingOf("a/1").emit();

  await under.committedTo(3);
});

test("a rejected record becomes a dead letter with the raw record, and is done", async () => {
  const under = await runners.started(["a/1"]);

  under.handlingOf("a/1").reject();
  await under.committedTo(1);

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

test("a record that cannot be read, or has no value, is a dead letter and holds up no other record", async () => {
  const under = await runners.started([]);

  under.read("!", null, "a/1");

  await soon(() => under.output.sent.length === 2);
  expect(under.started).toEqual(["a/1"]);
});

test("a dead letter's raw value is cut at 256 KiB, and its full size is noted", async () => {
  const under = await runners.started([`a/${"x".repeat(300_000)}`]);

  under.handling[0]!.reject();

  await soon(() => under.output.sent.length === 1);
  const { value } = under.output.sent[0]!.records[0] as unknown as {
    value: { rawValue: Buffer; rawBytes: number };
  };
  expect(value.rawValue).toHaveLength(262_144);
  expect(value.rawBytes).toBe(300_002);
});

test("a lane of unbounded concurrency holds thousands of waiting records, pauses at the limit and goes on", async () => {
  const under = await runners.started([], {
    stage: { laneConcurrency: () => Infinity },
    limits: { maxInFlight: Infinity },
  });
  under.consumer.append(0, ...inOneLane("tier", 6000));
  while (under.consumer.deliver());
  // The most that a partition may hold open (RUNNER_LIMITS).
  expect(under.handling).toHaveLength(4096);

  for (const one of under.handling.slice(0, 1500)) one.emit();
  await soon(() => under.started.length > 4096);
  while (under.started.length < 6000) {
    under.consumer.deliver();
    for (const one of under.handling.slice(0, 500)) one.emit();
    await turns(2);
  }

  expect(under.started).toEqual(inOneLane("tier", 6000));
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
  const under = await runners.started([], {
    stage: { handle: async () => ({ kind: "emit", records: many() }) },
  });
  under.output.isPrompt = false;

  under.read("a/1");
  const sizes: number[] = [];
  for (const expected of [1, 2, 3]) {
    await soon(() => under.output.sent.length === expected);
    sizes.push(under.output.sent.at(-1)!.records.length);
    under.output.acknowledge();
  }

  await under.committedTo(1);
  expect(sizes).toEqual([500, 500, 201]);
});
