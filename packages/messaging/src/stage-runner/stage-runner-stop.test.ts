import { expect, test } from "@jest/globals";
import { useStageRunner } from "@postrider/testkit";

const runners = useStageRunner();

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
