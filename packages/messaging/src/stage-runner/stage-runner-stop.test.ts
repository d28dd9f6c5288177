import { expect, test } from "@jest/globals";
import {
  inOneLane,
  soon,
  turns,
  useStageRunner,
  type RunnerUnderTest,
} from "@postrider/testkit";

const runners = useStageRunner();

/** A runner is not ready from when it starts nothing more. */
const isReady = ({ runner }: RunnerUnderTest) =>
  runner.health().ready.every(({ isOk }) => isOk);

test("a stop drops what has not started, finishes and commits what is in flight, and only then leaves the group", async () => {
  const under = await runners.started(["a/1", "a/2", "b/1"]);
  const { calls } = under.consumer;

  const stopped = under.runner.stop(under.clock.now() + 10_000);
  under.emitAll();
  await stopped;

  expect(under.started).toEqual(["a/1", "b/1"]);
  expect(under.lastCommit()).toEqual({ offset: 1, next: 3, open: [1] });
  expect(calls[0]).toBe("pause");
  expect(calls.slice(-2)).toEqual(["commit", "stop"]);
  expect(calls.indexOf("stop")).toBe(calls.length - 1);
  await under.runner.stop(under.clock.now());
  expect(calls.filter((call) => call === "stop")).toHaveLength(1);
});

test("a stop that cannot commit gives up at its deadline, and nothing is committed after it", async () => {
  const under = await runners.started(["a/1"]);
  const refused = Promise.reject(new Error("no such topic"));
  refused.catch(() => undefined);
  under.consumer.commitGate = refused;
  under.emitAll();

  await under.runner.stop(under.clock.now() + 300);
  const { commits } = under.consumer;
  const sent = commits.length;
  under.clock.advance(60_000);
  await turns(200);

  expect(sent).toBeGreaterThan(0);
  expect(commits).toHaveLength(sent);
});

test("a stop aborts handlers that are still running near its deadline, and commits what they then finish", async () => {
  const under = await runners.started(["a/1", "b/1"], {
    stage: {
      handle: ({ value }, signal) =>
        new Promise((resolve) => {
          const emit = () => resolve({ kind: "emit", records: [] });
          if (value === "a/1") signal.addEventListener("abort", emit);
        }),
    },
  });

  await under.runner.stop(under.clock.now() + 400);

  expect(under.lastCommit()).toEqual({ offset: 1, next: 2, open: [1] });
});

test("a stop that winds down lets quick lanes go on until slow handlers have ended", async () => {
  const under = await runners.started(["slow/1", "slow/2"], {
    stage: { longestMs: () => 15_000 },
  });
  under.clock.advance(1_500);
  under.read("a/1");
  await soon(() => under.started.includes("a/1"));
  const stopped = under.runner.stop(under.clock.now() + 75_000);

  under.handlingOf("a/1").emit();
  under.read("a/2");
  await soon(() => under.started.includes("a/2"));
  under.handlingOf("a/2").emit();
  under.read("b/1");
  await soon(() => under.started.includes("b/1"));
  expect(isReady(under)).toBe(true);
  under.handlingOf("slow/1").emit();
  await soon(() => !isReady(under));
  under.read("b/2");
  under.handlingOf("b/1").emit();
  await stopped;

  expect(under.started).toEqual(["slow/1", "a/1", "a/2", "b/1"]);
  expect(under.lastCommit()).toEqual({ offset: 1, next: 5, open: [1] });
});

test("a stop that winds down says at once that the member is leaving: nothing would start of partitions that it is given now", async () => {
  const under = await runners.started(["slow/1"], {
    stage: { longestMs: () => 15_000 },
  });
  expect(under.consumer.isLeaving).toBe(false);

  const stopped = under.runner.stop(under.clock.now() + 75_000);

  expect(under.consumer.isLeaving).toBe(true);
  expect(isReady(under)).toBe(true);
  under.emitAll();
  await stopped;
});

test("a stop that winds down starts nothing in a lane that is not proven", async () => {
  const under = await runners.started(["slow/1"], {
    stage: {
      longestMs: () => 15_000,
      laneStanding: (lane) => (lane === "new" ? "unknown" : "proven"),
    },
  });
  const stopped = under.runner.stop(under.clock.now() + 75_000);

  under.read("new/1", "a/1");
  await soon(() => under.started.includes("a/1"));
  await turns();
  under.emitAll();
  await stopped;

  expect(under.started).toEqual(["slow/1", "a/1"]);
});

test("a stop that winds down relieves no lane, however slow it looks", async () => {
  const deferred: string[] = [];
  const under = await runners.started(["slow/1"], {
    limits: { maxOpenPerPartition: 100 },
    stage: {
      longestMs: () => 15_000,
      laneConcurrency: () => 1,
      // So that the lane starts nothing more while the stop winds down, as a retired one.
      laneStanding: () => "unknown",
      defer: ({ raw, value }) => {
        deferred.push(value);
        return [{ topic: "retry.1s", key: raw.key, value: raw.value! }];
      },
    },
  });
  const stopped = under.runner.stop(under.clock.now() + 75_000);

  under.read(...inOneLane("slow", 99));
  under.clock.advance(5_000);
  await turns();
  under.clock.advance(5_000);
  await turns();
  under.emitAll();
  await stopped;

  expect(deferred).toEqual([]);
  expect(under.started).toEqual(["slow/1"]);
});

test("a stop that winds down starts nothing that may not end in time", async () => {
  const under = await runners.started(["slow/1"], {
    stage: { longestMs: (lane) => (lane === "long" ? 60_000 : 15_000) },
  });
  under.consumer.heartbeatAt = Infinity;
  const stopped = under.runner.stop(under.clock.now() + 75_000);

  under.clock.advance(11_000);
  under.read("a/1", "long/1");
  await soon(() => under.started.includes("a/1"));
  under.handlingOf("a/1").emit();
  under.clock.advance(45_000);
  under.read("a/2");
  await turns();
  under.emitAll();
  await stopped;

  expect(under.started).toEqual(["slow/1", "a/1"]);
});
