import { expect, test } from "@jest/globals";
import type { CommittedOffset, LogRange } from "@postrider/messaging";
import { lagOf } from "./service-lag.ts";

const range = (partition: number, start: number, end: number): LogRange => ({
  topic: "t",
  partition,
  start,
  end,
});
const at = (partition: number, offset: number | null): CommittedOffset => ({
  topic: "t",
  partition,
  offset,
  metadata: "",
});

test.each([
  ["nothing committed: all there is", [range(0, 5, 9)], [at(0, null)], 4],
  ["committed within the log", [range(0, 5, 9)], [at(0, 7)], 2],
  ["committed before the log's start", [range(0, 5, 9)], [at(0, 1)], 4],
  ["committed beyond its end", [range(0, 5, 9)], [at(0, 20)], 0],
  [
    "no answer for a partition",
    [range(0, 0, 3), range(1, 0, 2)],
    [at(0, 3)],
    2,
  ],
])("lag: %s", (_, ranges, committed, lag) => {
  expect(lagOf(ranges, committed)).toBe(lag);
});
