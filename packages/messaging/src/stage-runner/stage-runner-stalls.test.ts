import { expect, test } from "@jest/globals";
import { DEFAULT_SESSION_TIMEOUT_MS } from "@postrider/runtime";
import {
  inOneLane,
  soon,
  turns,
  useStageRunner,
  type RunnerUnderTest,
} from "@postrider/testkit";

const runners = useStageRunner();
const isWork = ({ name }: { readonly name: string }): boolean =>
  name === "test.work";

test.each([
  [
    "output is not acknowledged for a second",
    (u: RunnerUnderTest) => void (u.output.oldestMs = 1001),
    (u: RunnerUnderTest) => void (u.output.oldestMs = 0),
  ],
  [
    "the last heartbeat is 0.8 of the session timeout ago",
    (u: RunnerUnderTest) =>
      u.clock.advance(0.8 * DEFAULT_SESSION_TIMEOUT_MS + 1),
    (u: RunnerUnderTest) => void (u.consumer.heartbeatAt = u.clock.monotonic()),
  ],
])("nothing is started while %s", async (_name, stall, recover) => {
  const under = await runners.started(["a/1"]);

  stall(under);
  under.read("b/1");
  await turns();
  expect(under.started).toEqual(["a/1"]);

  recover(under);

  await soon(() => under.started.length === 2);
});

test("nothing is started while a due commit is not acknowledged for a second", async () => {
  const under = await runners.started(["a/1", "a/2"]);
  const commits = under.holdCommits();
  under.handlingOf("a/1").emit();
  await soon(() => under.started.includes("a/2"));
  under.clock.advance(1001);
  under.read("b/1");
  await turns();
  expect(under.started).toEqual(["a/1", "a/2"]);

  commits.resolve();

  await soon(() => under.started.includes("b/1"));
});

test("nothing is started while 2,000 output records are unacknowledged", async () => {
  const under = await runners.started([], {
    isPrompt: true,
    stage: { laneConcurrency: () => Infinity },
  });
  under.output.isPrompt = false;
  under.consumer.append(0, ...inOneLane("a", 4000));
  while (under.consumer.deliver()) await turns(2);
  await turns();
  // The look at the gate is taken every 128 starts.
  expect(under.started.length).toBeGreaterThanOrEqual(2000);
  expect(under.started.length).toBeLessThanOrEqual(2000 + 1000);

  under.output.isPrompt = true;
  under.output.acknowledge();

  await soon(() => under.started.length === 4000);
});

test("nothing starts while the service's `waitsFor` gives a reason; readiness shows the reason, and the runner goes on by itself", async () => {
  let why: string | null = null;
  const under = await runners.started(["a/1"], { waitsFor: () => why });
  why = "the table is behind";
  under.handlingOf("a/1").emit();
  under.read("b/1");
  under.clock.advance(120_000);
  under.consumer.heartbeatAt = under.clock.monotonic();
  await turns();

  expect(under.started).toEqual(["a/1"]);
  const { ready, live } = under.runner.health();
  expect(ready.find(({ name }) => name === "test.input")).toEqual({
    name: "test.input",
    isOk: false,
    detail: "nothing is started: the table is behind",
  });
  expect(live.find(isWork)?.isOk).toBe(true);

  why = null;
  // The record waited for the table, not for this process.
  const work = under.runner.health().live.find(isWork);

  expect(work?.isOk).toBe(true);
  await soon(() => under.started.includes("b/1"));
});
