import { expect, test } from "@jest/globals";
import { planBatchStart } from "./batch-start.ts";
import { encodeIntent } from "./intent-metadata.ts";

const PARTITION = 3;
const range = {
  partition: PARTITION,
  first: 100,
  last: 199,
  firstTimestamp: 1,
  excluded: [],
};
const intent = { intendedAt: 2, ranges: [range] };
const metadata = encodeIntent(intent);

test("a group that never committed begins at the start of the log", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: null, metadata: "" },
    { start: 40, end: 90 },
  );

  expect(start).toEqual({ base: 40, intent: null, faults: [] });
});

test("an intent within the log is repeated whole", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata },
    { start: 0, end: 500 },
  );

  expect(start).toEqual({ base: 100, intent, faults: [] });
});

test("of an intent that retention has partly deleted, the rest is repeated and the loss is reported", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata },
    { start: 150, end: 500 },
  );

  expect(start).toMatchObject({ base: 150, intent });
  expect(start.faults).toEqual([
    { kind: "below_start", committed: 100, start: 150, lost: 50 },
  ]);
});

test("an intent that retention has deleted completely is given up and the loss is reported", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata },
    { start: 200, end: 500 },
  );

  expect(start).toMatchObject({ base: 200, intent: null });
  expect(start.faults).toMatchObject([{ kind: "below_start", lost: 100 }]);
});

test("if the log ends within the intent, the intent is repeated up to that end", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata },
    { start: 0, end: 120 },
  );

  expect(start).toMatchObject({ base: 100, intent });
  expect(start.faults).toMatchObject([{ kind: "intent_cut", end: 120 }]);
});

test("an offset beyond the log goes to its end, never to its beginning", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata },
    { start: 0, end: 7 },
  );

  expect(start).toMatchObject({ base: 7, intent: null });
  expect(start.faults).toEqual([
    { kind: "beyond_end", committed: 100, end: 7 },
  ]);
});

test("an intent that lies below the committed offset is not believed", () => {
  const start = planBatchStart(
    PARTITION,
    { offset: 150, metadata },
    { start: 0, end: 500 },
  );

  expect(start).toMatchObject({ base: 150, intent: null });
  expect(start.faults).toEqual([{ kind: "metadata_unreadable", metadata }]);
});

test("of an intent of several partitions, this partition's range decides", () => {
  const other = { ...range, partition: 5, first: 7, last: 9_999 };
  const shared = { intendedAt: 2, ranges: [range, other] };

  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata: encodeIntent(shared) },
    { start: 0, end: 500 },
  );

  expect(start).toEqual({
    base: 100,
    intent: shared,
    faults: [],
  });
});

test("an intent of several partitions that does not name this one is not believed", () => {
  const others = [5, 6].map((partition) => ({ ...range, partition }));
  const foreign = encodeIntent({ intendedAt: 2, ranges: others });

  const start = planBatchStart(
    PARTITION,
    { offset: 100, metadata: foreign },
    { start: 0, end: 500 },
  );

  expect(start).toMatchObject({ base: 100, intent: null });
  expect(start.faults).toMatchObject([{ kind: "metadata_unreadable" }]);
});
