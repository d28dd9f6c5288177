import { beforeEach, expect, test } from "@jest/globals";
import type { UnreadableReason } from "../../record.ts";
import type { FetchedRecords } from "./fetched-records.ts";
import { Rereads, WAITS_MS } from "./reread.ts";

const place = { topic: "t", partition: 3 };
let now: number;
let refreshes: number;
let rereads: Rereads;

beforeEach(() => {
  now = 1000;
  refreshes = 0;
  rereads = new Rereads({
    monotonic: () => now,
    refreshMetadata: () => void refreshes++,
  });
});

function broken(reason: UnreadableReason): FetchedRecords {
  return {
    records: [],
    unreadable: [],
    lastOffset: null,
    isDoubtful: false,
    broken: {
      ...place,
      offset: 7,
      timestamp: 0,
      key: null,
      value: null,
      headers: {},
      unreadable: { lastOffset: 9, reason, detail: "broken" },
    },
  };
}

const whole: FetchedRecords = { ...broken("checksum"), broken: null };
const doubtful: FetchedRecords = { ...whole, isDoubtful: true };

const isWanted = (fetched: FetchedRecords, fetchedOffset = "7") =>
  rereads.isWanted({ ...place, fetchedOffset }, fetched);
const isHeldBack = (offset = "7") => rereads.isHeldBack(place, () => offset);

/** How long after the first fetch each further one was made, until it was given up. */
function fetchTimes(fetched: FetchedRecords): number[] {
  const start = now;
  const times: number[] = [];
  while (isWanted(fetched)) {
    while (isHeldBack()) now += 100;
    times.push(now - start);
  }
  return times;
}

test.each(["checksum", "framing"] as const)(
  "a batch that is broken (%s) is fetched again at once, then further and further apart, for half a minute",
  (reason) => {
    expect(fetchTimes(broken(reason))).toEqual([0, 1000, 5000, 15_000, 30_000]);
  },
);

test("bytes that do not inflate, with a right checksum, hold their partition up for no time", () => {
  expect(fetchTimes(broken("compression"))).toEqual([0, 0]);
});

test("a gap that nothing bears out is fetched once more, then believed", () => {
  expect(fetchTimes(doubtful)).toEqual([0]);
});

test("the last fetch follows fresh metadata, and no other does", () => {
  for (let i = 1; i < WAITS_MS.length; i++) isWanted(broken("checksum"));
  const before = refreshes;
  isWanted(broken("checksum"));

  expect([before, refreshes]).toEqual([0, 1]);
});

test("only the partition of the broken batch waits, and only at its offset", () => {
  isWanted(broken("checksum"));
  isWanted(broken("checksum"));

  expect(isHeldBack()).toBe(true);
  expect(isHeldBack("8")).toBe(false);
  expect(rereads.isHeldBack({ ...place, partition: 4 }, () => "7")).toBe(false);
});

test("while any partition waits the group knows it, so that its fetches are short", () => {
  expect(rereads.isAnyWaiting()).toBe(false);
  isWanted(broken("checksum"));
  isWanted(broken("checksum"));

  expect(rereads.isAnyWaiting()).toBe(true);
  now += WAITS_MS[1]!;
  expect(rereads.isAnyWaiting()).toBe(false);
});

test("a batch that came whole, and one at another offset, have all their fetches before them", () => {
  isWanted(broken("checksum"));
  isWanted(broken("checksum"));
  expect(isWanted(whole)).toBe(false);

  expect(fetchTimes(broken("checksum"))).toHaveLength(WAITS_MS.length);
  expect(isWanted(broken("checksum"), "10")).toBe(true);
});
