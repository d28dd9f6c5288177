import { expect, test } from "@jest/globals";
import { encodeOffsetMetadata } from "./offset-metadata.ts";
import { startPoint } from "./start-point.ts";

const stored = (base: number, next: number, runs: readonly number[]) => ({
  topic: "t",
  partition: 0,
  offset: base,
  metadata: encodeOffsetMetadata({ base, next, runs, tag: "a", counter: 1 }),
});
const plain = (offset: number | null, metadata = "") => ({
  topic: "t",
  partition: 0,
  offset,
  metadata,
});
const log = (start: number, end: number) => ({
  topic: "t",
  partition: 0,
  start,
  end,
});

test.each([
  [
    "a group without an offset begins at the log's start",
    plain(null),
    log(5, 90),
    { base: 5, next: 5, seekTo: 5, lost: 0, kind: "no_commit" },
  ],
  [
    "a plain offset is believed",
    plain(50),
    log(5, 90),
    { base: 50, next: 50, seekTo: 40, lost: 0, kind: "as_committed" },
  ],
  [
    "metadata that is not ours is told",
    plain(50, "?"),
    log(5, 90),
    { base: 50, next: 50, seekTo: 40, kind: "foreign_metadata" },
  ],
  [
    "the warm-up stops at the log's start",
    plain(12),
    log(5, 90),
    { base: 12, seekTo: 5 },
  ],
  [
    "the open runs are restored",
    stored(50, 80, [50, 2, 60, 1]),
    log(5, 90),
    { base: 50, next: 80, openRuns: [50, 2, 60, 1], lost: 0, seekTo: 40 },
  ],
  [
    "below the log: what is gone is counted",
    plain(50),
    log(70, 90),
    { base: 70, next: 70, seekTo: 70, lost: 20, kind: "below_log" },
  ],
  [
    "below the log, but all of what is gone was done",
    stored(50, 80, [50, 1, 75, 2]),
    log(51, 90),
    { base: 75, next: 80, openRuns: [75, 2], lost: 1, kind: "below_log" },
  ],
  [
    "below the log, within a run",
    stored(50, 80, [50, 10]),
    log(55, 90),
    { base: 55, next: 80, openRuns: [55, 5], lost: 5 },
  ],
  [
    "below the log by more than was seen",
    stored(50, 60, [50, 1]),
    log(70, 90),
    { base: 70, next: 70, openRuns: [], lost: 11 },
  ],
  [
    "above the log: its end, never its start",
    plain(500),
    log(5, 90),
    { base: 90, next: 90, seekTo: 80, lost: 410, kind: "above_log" },
  ],
  [
    "a log cut within what was seen: its new records are new",
    stored(50, 80, [50, 1, 70, 1]),
    log(5, 60),
    { base: 50, next: 60, openRuns: [50, 1], kind: "above_log" },
  ],
])("%s", (_name, committed, range, expected) => {
  expect(startPoint(committed, range, 10)).toMatchObject(expected);
});
