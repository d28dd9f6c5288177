import { expect, test } from "@jest/globals";
import { systemClock } from "@postrider/runtime";
import { createBatchReporter } from "./batch-reporter.ts";

test("a partition that begins with an intent logs its own range, not those of the other partitions", () => {
  const logged: unknown[] = [];
  const log = (event: string, fields: unknown) => logged.push([event, fields]);
  const instrument = { inc: () => {}, set: () => {}, observe: () => {} };
  const reporter = createBatchReporter({
    name: "record.attempts",
    target: { table: "attempts" },
    log: { debug: log, info: log, warn: log, error: log },
    meter: {
      counter: () => instrument,
      gauge: () => instrument,
      histogram: () => instrument,
    },
    clock: systemClock,
  });
  const ranges = [3, 4].map((partition) => ({
    partition,
    first: partition * 100,
    last: partition * 100 + 9,
    firstTimestamp: 1,
    excluded: [],
  }));
  const intent = { intendedAt: 7, ranges };

  reporter.report(
    { topic: "p.attempts", partition: 4 },
    { kind: "started", start: { base: 400, intent, faults: [] } },
  );

  expect(logged).toEqual([
    [
      "partition.started",
      {
        stage: "record.attempts",
        topic: "p.attempts",
        partition: 4,
        offset: 400,
        intent: { first: 400, last: 409, intendedAt: 7, partitions: 2 },
      },
    ],
  ]);
});
