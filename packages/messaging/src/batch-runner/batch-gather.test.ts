import { expect, test } from "@jest/globals";
import { gather, isFull } from "./batch-gather.ts";
import { BatchQueue } from "./batch-queue.ts";
import type { RawRecord } from "../record.ts";

/** A queue that got records of so many value bytes each, `since`. */
function sourceOf(partition: number, since: number, ...sizes: number[]) {
  const queue = new BatchQueue(0);
  const records = sizes.map((size, offset): RawRecord => ({
    topic: "t",
    partition,
    offset,
    timestamp: 1,
    key: null,
    value: Buffer.alloc(size),
    headers: {},
  }));
  const lastOffset = records.length - 1;
  const place = { topic: "t", partition };
  queue.push(
    { ...place, fetchOffset: 0, records, lastOffset, highWatermark: 0 },
    since,
  );
  return { partition, queue, isFetching: true };
}

const given = (limits: { maxRecords: number; maxBytes: number }) => ({
  limits,
  mayShare: true,
  judge: (records: readonly RawRecord[]) => ({
    entries: records.map((raw) => ({ kind: "row" as const, raw, row: "" })),
    waitsFor: null,
  }),
  now: () => 1,
});

const placesOf = (entries: readonly { readonly raw: RawRecord }[]) =>
  entries.map(({ raw }) => `${raw.partition}/${raw.offset}`);

test("the partitions whose heads are oldest come first; the entries are ascending by partition", () => {
  const sources = [
    sourceOf(0, 3, 1, 1),
    sourceOf(1, 2, 1, 1),
    sourceOf(2, 1, 1, 1),
  ];

  const { entries } = gather(sources, given({ maxRecords: 3, maxBytes: 1e6 }));

  expect(placesOf(entries)).toEqual(["1/0", "2/0", "2/1"]);
});

test("all partitions together stay within the batch's bytes; a larger record travels alone", () => {
  const small = sourceOf(0, 2, 100);
  const large = sourceOf(1, 1, 5_000);
  const limits = given({ maxRecords: 10, maxBytes: 1_000 });

  const alone = gather([small, large], limits).entries;
  large.queue.drop(1, 3);
  const next = gather([small, large], limits).entries;

  expect(placesOf(alone)).toEqual(["1/0"]);
  expect(placesOf(next)).toEqual(["0/0"]);
});

test("partitions that are not full alone are full together", () => {
  const sources = [sourceOf(0, 1, 1, 1), sourceOf(1, 1, 1, 1)];

  expect(isFull(sources, { maxRecords: 5, maxBytes: 1e6 })).toBe(false);
  expect(isFull(sources, { maxRecords: 4, maxBytes: 1e6 })).toBe(true);
});

test("a batch that cannot be read is not put together with records of other partitions", () => {
  const unreadable = sourceOf(0, 1);
  const lost = { lastOffset: 9, reason: "checksum", detail: "" } as const;
  const [record] = sourceOf(0, 1, 1).queue.records;
  unreadable.queue.push(
    {
      topic: "t",
      partition: 0,
      fetchOffset: 0,
      records: [{ ...record!, unreadable: lost }],
      lastOffset: 9,
      highWatermark: 10,
    },
    1,
  );
  const other = sourceOf(1, 2, 1);
  const limits = given({ maxRecords: 10, maxBytes: 1e6 });

  const first = gather([other, unreadable], limits).entries;
  unreadable.queue.drop(1, 3);
  const second = gather([other, unreadable], limits).entries;

  expect(placesOf(first)).toEqual(["0/0"]);
  expect(placesOf(second)).toEqual(["1/0"]);
});
