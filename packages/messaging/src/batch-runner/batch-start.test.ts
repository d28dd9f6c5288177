import { expect, test } from "@jest/globals";
import { planBatchStart } from "./batch-start.ts";
import { encodeIntent } from "./intent-metadata.ts";

const intent = {
  first: 100,
  last: 199,
  firstTimestamp: 1,
  intendedAt: 2,
  excluded: [],
};
const metadata = encodeIntent(intent);

test("a group that never committed begins at the start of the log", () => {
  const start = planBatchStart(
    { offset: null, metadata: "" },
    { start: 40, end: 90 },
  );

  expect(start).toEqual({ base: 40, intent: null, intentEnd: -1, faults: [] });
});

test("an intent within the log is repeated whole", () => {
  const start = planBatchStart(
    { offset: 100, metadata },
    { start: 0, end: 500 },
  );

  expect(start).toEqual({ base: 100, intent, intentEnd: 199, faults: [] });
});

test("of an intent that retention has partly deleted, the rest is repeated and the loss is reported", () => {
  const start = planBatchStart(
    { offset: 100, metadata },
    { start: 150, end: 500 },
  );

  expect(start).toMatchObject({ base: 150, intent, intentEnd: 199 });
  expect(start.faults).toEqual([
    { kind: "below_start", committed: 100, start: 150, lost: 50 },
  ]);
});

test("an intent that retention has deleted completely is given up and the loss is reported", () => {
  const start = planBatchStart(
    { offset: 100, metadata },
    { start: 200, end: 500 },
  );

  expect(start).toMatchObject({ base: 200, intent: null });
  expect(start.faults).toMatchObject([{ kind: "below_start", lost: 100 }]);
});

test("if the log ends within the intent, the intent is repeated up to that end", () => {
  const start = planBatchStart(
    { offset: 100, metadata },
    { start: 0, end: 120 },
  );

  expect(start).toMatchObject({ base: 100, intent, intentEnd: 119 });
  expect(start.faults).toMatchObject([{ kind: "intent_cut", end: 120 }]);
});

test("an offset beyond the log goes to its end, never to its beginning", () => {
  const start = planBatchStart({ offset: 100, metadata }, { start: 0, end: 7 });

  expect(start).toMatchObject({ base: 7, intent: null });
  expect(start.faults).toEqual([
    { kind: "beyond_end", committed: 100, end: 7 },
  ]);
});

test("an intent that lies below the committed offset is not believed", () => {
  const start = planBatchStart(
    { offset: 150, metadata },
    { start: 0, end: 500 },
  );

  expect(start).toMatchObject({ base: 150, intent: null });
  expect(start.faults).toEqual([{ kind: "metadata_unreadable", metadata }]);
});
