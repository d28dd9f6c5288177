import { expect, test } from "@jest/globals";
import { costOf, idleFigures, loadFigures } from "./cost-of.ts";
import type { Usage } from "./usage.ts";

/** A stretch from the first to the third second. */
const usage: Usage = {
  fromMicros: 1e6,
  toMicros: 3e6,
  cpuSeconds: new Map([
    ["retry-scheduler", 0.2],
    ["kafka", 0.4],
    ["sink", 9],
  ]),
  residentMb: new Map([
    ["retry-scheduler", 80],
    ["kafka", 400],
    ["sink", 50],
  ]),
  perSecond: {
    produce: 30,
    ownProduces: 10,
    fetch: 5,
    offsetCommit: 4,
    other: 3,
    inserts: 2,
    parts: 8,
    merges: 1,
  },
};
/** One event a second from 0 on, each of which takes `ms`. */
const arrivals = (...ms: readonly number[]) => ({
  perSecond: 1,
  startedAt: 0,
  seenAt: ms.map((each, i) => i * 1e6 + each * 1000),
});

test("CPU goes by the requests that came in the stretch, and the sink's is nobody's", () => {
  const cost = costOf(usage, arrivals(1100, 10, 20, 30));

  // Of the four, the last came after the end.
  expect(cost.micros.get("kafka")).toBeCloseTo(400_000 / 3);
  expect(cost.ourMicros).toBeCloseTo(200_000 / 3);
  expect(cost.allMicros).toBeCloseTo(600_000 / 3);
});

test("latency is that of the events that were planned for the stretch", () => {
  const cost = costOf(usage, arrivals(1100, 10, 20, 30));

  expect(cost).toMatchObject({ p50Ms: 10, p99Ms: 20 });
});

test("the load's own requests to the broker are not the product's", () => {
  const figures = loadFigures("topic", costOf(usage, arrivals(1, 1, 1, 1)));

  expect(figures).toMatchObject({
    topicProducesPerSecond: 20,
    topicRetrySchedulerCpuMicros: 100_000,
    topicOurMb: 80,
  });
  expect(figures).not.toHaveProperty("topicSinkCpuMicros");
});

test("idle CPU is in ms a second", () => {
  expect(idleFigures("idle", usage)).toMatchObject({
    idleOurCpuMsPerSecond: 100,
    idleKafkaCpuMsPerSecond: 200,
    idleKafkaMb: 400,
  });
});
