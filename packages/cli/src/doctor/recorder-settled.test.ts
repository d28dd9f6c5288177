import { expect, test } from "@jest/globals";
import { CliError, EXIT } from "../cli-error.ts";
import { recorderSettled, whyNotSettled } from "./recorder-settled.ts";

const topic = "p.attempts";
const range = (partition: number, start: number, end: number) => ({
  topic,
  partition,
  start,
  end,
});
const commit = (partition: number, offset: number | null, metadata = "") => ({
  topic,
  partition,
  offset,
  metadata,
});
const intentOf = (...ranges: (readonly [number, number, number])[]): string =>
  ranges.length === 1
    ? JSON.stringify({
        intent: 1,
        first: ranges[0]![1],
        last: ranges[0]![2],
        firstTimestamp: 5,
        intendedAt: 9,
        excluded: [],
      })
    : JSON.stringify({
        intent: 2,
        intendedAt: 9,
        ranges: ranges.map(([partition, first, last]) => [
          partition,
          first,
          last - first + 1,
          -1,
        ]),
      });

test.each([
  ["all is recorded", [commit(0, 10), commit(1, 7)], null],
  ["more is recorded by now", [commit(0, 12), commit(1, 9)], null],
  [
    "records are left",
    [commit(0, 8), commit(1, 7)],
    /still to record 2 records of p.attempts, partition 0/,
  ],
  [
    "nothing was ever committed",
    [commit(0, null), commit(1, 7)],
    /still to record 10 records/,
  ],
  [
    "an insert behind the end is announced",
    [commit(0, 10, intentOf([0, 10, 11])), commit(1, 7)],
    null,
  ],
  [
    "an insert is announced whose other range was before the end",
    [commit(0, 10, intentOf([0, 10, 11], [1, 5, 6])), commit(1, 7)],
    /announced an insert of p.attempts, partition 1, offsets 5 to 6/,
  ],
  [
    "metadata cannot be read",
    [commit(0, 10, "?"), commit(1, 7)],
    /cannot be read/,
  ],
] as const)(
  "the recorder has done with the topic, or not: %s",
  (_, committed, expected) => {
    const why = whyNotSettled([range(0, 0, 10), range(1, 2, 7)], committed);

    if (expected === null) expect(why).toBe(null);
    else expect(why).toMatch(expected);
  },
);

test("records that retention took are not waited for", () => {
  expect(whyNotSettled([range(0, 4, 4)], [commit(0, null)])).toBe(null);
});

test("what was in the topic at the beginning is waited for, and not what came later", async () => {
  let asked = 0;
  const admin = {
    fetchLogRanges: () => Promise.resolve([range(0, 0, 10 + asked * 100)]),
    fetchCommitted: () => Promise.resolve([commit(0, 9 + (asked += 1))]),
  };

  await recorderSettled(admin, "p.", 10_000);

  expect(asked).toBe(1);
});

test("a recorder that does not get there is an error that says what is left", async () => {
  const admin = {
    fetchLogRanges: () => Promise.resolve([range(0, 0, 10)]),
    fetchCommitted: () => Promise.resolve([commit(0, 3)]),
  };

  const error = await recorderSettled(admin, "p.", 0).catch(
    (reason: unknown) => reason,
  );

  expect(error).toBeInstanceOf(CliError);
  expect(error).toMatchObject({
    exitCode: EXIT.refused,
    why: expect.stringContaining("7 records"),
  });
});
