import { expect, test } from "@jest/globals";
import { encodeOffsetMetadata } from "./offset-metadata.ts";
import { partitionLag } from "./partition-lag.ts";

const metadata = (base: number, next: number, runs: readonly number[]) =>
  encodeOffsetMetadata({ base, next, runs, tag: "m", counter: 1 });

test.each([
  ["nothing committed: all there is", 5, 9, null, 4],
  ["committed within the log", 5, 9, 7, 2],
  ["committed before the log's start", 5, 9, 1, 4],
  ["committed beyond its end", 5, 9, 20, 0],
])("without metadata all that is behind is unfinished: %s", (...given) => {
  const [, start, end, offset, lag] = given;

  expect(partitionLag({ start, end }, { offset, metadata: "" })).toEqual({
    behind: lag,
    unfinished: lag,
  });
});

test("a group that was not heard of is behind by the whole log", () => {
  expect(partitionLag({ start: 2, end: 9 }, undefined)).toEqual({
    behind: 7,
    unfinished: 7,
  });
});

test("one record that takes long keeps the commit back, and not what is unfinished", () => {
  const committed = { offset: 100, metadata: metadata(100, 1100, [100, 1]) };

  expect(partitionLag({ start: 0, end: 1105 }, committed)).toEqual({
    behind: 1005,
    unfinished: 6,
  });
});

test("of open offsets those count that the log still has", () => {
  const committed = {
    offset: 10,
    metadata: metadata(10, 40, [10, 10, 30, 5]),
  };

  expect(partitionLag({ start: 15, end: 40 }, committed)).toEqual({
    behind: 25,
    unfinished: 10,
  });
  expect(partitionLag({ start: 50, end: 50 }, committed)).toEqual({
    behind: 0,
    unfinished: 0,
  });
});

test("metadata that belongs to another offset is not believed", () => {
  const committed = { offset: 12, metadata: metadata(10, 40, [10, 1]) };

  expect(partitionLag({ start: 0, end: 40 }, committed)).toEqual({
    behind: 28,
    unfinished: 28,
  });
});
