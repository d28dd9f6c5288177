import { expect, test } from "@jest/globals";
import type { RunnerEntry } from "./ledger.ts";
import { replayRunner } from "./runner-replay.ts";

/** Base 1, next 4, open 1 and 3; written by the runner's own encoder. */
const OPEN_1_AND_3 = "AQEDAgAC~tag~1";

const at = { topic: "t", partition: 0, pid: 1, at: 0, monotonicMs: 0 };
const done = (offset: number): RunnerEntry => ({
  ...at,
  kind: "completed",
  offset,
});
const committed = (offset: number, metadata = ""): RunnerEntry => ({
  ...at,
  kind: "committed",
  offset,
  metadata,
});

test("an offset below the base, or above it and not open, is committed; a repeat of it is an ignored commit", () => {
  const replay = replayRunner([
    ...[0, 2].map(done),
    committed(1, OPEN_1_AND_3),
    ...[0, 1, 2, 3].map(done),
  ]);

  expect(replay.passed).toEqual([]);
  expect(replay.ignored).toEqual(["t/0@0", "t/0@2"]);
});

test("a repeat before any commit can be explained by a kill", () => {
  const replay = replayRunner([done(0), done(0), done(0), committed(1)]);

  expect([...replay.repeated]).toEqual([["t/0@0", 2]]);
  expect(replay.ignored).toEqual([]);
});

test("a commit that covers an offset before it is done has passed unfinished work, and is reported once", () => {
  const replay = replayRunner([
    done(0),
    committed(2),
    committed(2),
    done(1),
    committed(2),
  ]);

  expect(replay.passed).toEqual(["t/0@1"]);
});

test("a commit's age is the time from the completion to the commit that covers it", () => {
  const replay = replayRunner([
    { ...done(0), at: 100 },
    { ...done(1), at: 140 },
    { ...committed(2), at: 150 },
  ]);

  expect(replay.commitAgesMs).toEqual([10, 50]);
});

test("work that a woken process finishes after its successor's commit is a repeat, not an ignored commit", () => {
  const replay = replayRunner([
    done(0),
    { ...done(1), pid: 2 },
    { ...committed(2), pid: 2 },
    done(1),
  ]);

  expect(replay.ignored).toEqual([]);
  expect([...replay.repeated.keys()]).toEqual(["t/0@1"]);
});

test("completing a record that stands for a range of offsets completes all of them", () => {
  const replay = replayRunner([
    { ...done(0), lastOffset: 3 } as RunnerEntry,
    committed(4),
  ]);

  expect(replay.passed).toEqual([]);
});
