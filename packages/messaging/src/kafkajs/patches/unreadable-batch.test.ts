/** Which offsets are given up with a batch that cannot be read, and which claims in a broker's answer are ignored. */
import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { crc32 } from "@node-rs/crc32";
import { rawBatch, rawRecords } from "@postrider/testkit";
import fc from "fast-check";
import { registerCompression } from "./compression.ts";
import {
  RESPONSE_BUDGET_BYTES,
  type FetchBudget,
  type FetchedRecords,
  type PartitionFetch,
} from "./fetched-records.ts";
import { decodeBatches } from "./record-batch-decoder.ts";

registerCompression();

const MAGIC_AT = 16;

function read(
  set: Buffer,
  fetch: Partial<PartitionFetch> = {},
  budget: FetchBudget = { leftBytes: RESPONSE_BUDGET_BYTES },
): Promise<FetchedRecords> {
  return decodeBatches(
    set,
    {
      topic: "t",
      partition: 3,
      fetchOffset: 0,
      highWatermark: 2000,
      aborted: [],
      ...fetch,
    },
    budget,
  );
}

/** `size` records of 100 bytes. */
function batchOf(baseOffset: number, size: number): Buffer {
  const values = Array.from({ length: size }, () => ({
    value: Buffer.alloc(100),
  }));
  return rawBatch({ baseOffset, size, records: rawRecords(values) });
}

function withBase(batch: Buffer, baseOffset: number): Buffer {
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch;
}

function withMagic(batch: Buffer, magic: number): Buffer {
  batch[MAGIC_AT] = magic;
  return batch;
}

/** The first and last offset that are lost, and how many bytes are kept. */
const lostOf = ({ broken }: FetchedRecords) =>
  broken === null
    ? null
    : [broken.offset, broken.unreadable?.lastOffset, broken.value?.length];

const offsetsOf = ({ records }: FetchedRecords) => [
  records[0]?.offset,
  records.at(-1)?.offset,
];

test.each([0, 1, 3, 6, 130])(
  "a batch whose format's number is %d is given up as a whole, without the batches behind it",
  async (magic) => {
    const bad = withMagic(batchOf(0, 1000), magic);

    const followed = await read(Buffer.concat([bad, batchOf(1000, 10)]));
    const last = await read(bad);

    expect(lostOf(followed)).toEqual([0, 999, bad.length]);
    expect(lostOf(last)).toEqual([0, 999, bad.length]);
  },
);

test("a broken batch ends where the whole batch behind it begins, whatever its own last offset claims", async () => {
  const bad = batchOf(0, 1000);
  bad.writeInt32BE(2, 23);

  const found = await read(Buffer.concat([bad, batchOf(1000, 10)]));

  expect(lostOf(found)).toEqual([0, 999, bad.length]);
});

test("the offsets of the batch behind a broken one are ignored unless its checksum is right", async () => {
  const bad = batchOf(0, 10);
  bad[bad.length - 1]! ^= 1;
  const alsoBad = withBase(batchOf(10, 10), 1500);
  alsoBad[alsoBad.length - 1]! ^= 1;

  const found = await read(Buffer.concat([bad, alsoBad]));

  expect(lostOf(found)).toEqual([0, 9, bad.length]);
});

test("a broken batch whose length reaches beyond the bytes sent is given up to its own last offset", async () => {
  const bad = batchOf(0, 10);
  bad.writeInt32BE(1 << 30, 8);

  const found = await read(Buffer.concat([bad, batchOf(10, 10)]));

  expect(found.broken?.unreadable).toMatchObject({
    lastOffset: 9,
    reason: "framing",
  });
});

test("a batch whose first offset lies beyond the log's end is broken, and as many offsets are lost as it claims to hold", async () => {
  const far = withBase(batchOf(0, 10), 1 << 20);

  const found = await read(far);

  expect(found).toMatchObject({ records: [], lastOffset: null });
  expect(lostOf(found)).toEqual([0, 9, far.length]);
  expect(found.broken?.unreadable?.reason).toBe("framing");
});

test("a batch beyond the log's end that the broker gave, behind others, is left for the next fetch", async () => {
  const set = Buffer.concat([batchOf(0, 10), batchOf(10, 10)]);

  const found = await read(set, { highWatermark: 15 });

  expect(found).toMatchObject({ lastOffset: 9, broken: null });
});

test("a batch whose first offset the batch behind it contradicts is broken", async () => {
  const near = withBase(batchOf(0, 10), 1024);
  const set = Buffer.concat([near, batchOf(10, 10)]);

  const found = await read(set);

  expect(found).toMatchObject({ records: [], lastOffset: null });
  expect(lostOf(found)).toEqual([0, 9, near.length]);
});

test("a contradicted first offset also counts as broken behind other batches, or if the batch behind it is cut", async () => {
  const near = withBase(batchOf(10, 10), 1024);
  const cut = batchOf(20, 10).subarray(0, 70);

  const behindOthers = await read(
    Buffer.concat([batchOf(0, 10), near, batchOf(20, 10)]),
  );
  const beforeCut = await read(Buffer.concat([near, cut]), { fetchOffset: 10 });
  const atTheEnd = await read(Buffer.concat([batchOf(0, 10), near]));

  expect(behindOthers).toMatchObject({ lastOffset: 9, broken: null });
  expect(lostOf(beforeCut)).toEqual([10, 19, near.length]);
  expect(atTheEnd).toMatchObject({ lastOffset: 9, broken: null });
});

test("a first batch behind a gap that no batch confirms is read, and `isDoubtful` is set", async () => {
  const doubtful = await read(batchOf(500, 10));
  const borneOut = await read(
    Buffer.concat([batchOf(500, 10), batchOf(510, 5)]),
  );
  const none = await read(batchOf(500, 10), { fetchOffset: 505 });

  expect(doubtful).toMatchObject({ isDoubtful: true, lastOffset: 509 });
  expect(borneOut).toMatchObject({ isDoubtful: false, lastOffset: 514 });
  expect(none).toMatchObject({ isDoubtful: false, lastOffset: 509 });
});

test("batches below the fetch offset are skipped, and all records behind them are read", async () => {
  const set = Buffer.concat([batchOf(0, 5), batchOf(5, 5), batchOf(10, 10)]);

  const found = await read(set, { fetchOffset: 10 });

  expect(found).toMatchObject({ lastOffset: 19, broken: null });
  expect(offsetsOf(found)).toEqual([10, 19]);
});

test("a batch that claims to lie below the fetch offset is broken if no other batch has the offset that was asked for", async () => {
  const lowered = withBase(batchOf(1024, 10), 0);
  const set = Buffer.concat([lowered, batchOf(1034, 10)]);

  const found = await read(set, { fetchOffset: 1024 });
  const alone = await read(lowered, { fetchOffset: 1024 });

  expect(lostOf(found)).toEqual([1024, 1033, lowered.length]);
  expect(lostOf(alone)).toEqual([1024, 1033, lowered.length]);
});

const damage = fc.oneof(
  fc.record({ magic: fc.nat(255).filter((each) => each !== 2) }),
  fc.record({ raisedBy: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ loweredBy: fc.integer({ min: 20, max: 5000 }) }),
);

test("whichever batch's header is damaged outside of its checksum, each offset is read or named as lost, and only that batch's are lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
      fc.nat(),
      damage,
      async (sizes, which, how) => {
        const bad = which % sizes.length;
        const firsts = sizes.map((_, i) => sum(sizes.slice(0, i)));
        const batches = sizes.map((size, i) => batchOf(firsts[i]!, size));
        damageHeader(batches[bad]!, firsts[bad]!, how);

        const { good, lost } = await readLog(batches, firsts, sum(sizes));

        const ofBad = range(firsts[bad]!, sizes[bad]!);
        expect(lost).toEqual(ofBad);
        expect(good).toEqual(
          range(0, sum(sizes)).filter((each) => !ofBad.includes(each)),
        );
      },
    ),
    { numRuns: 300 },
  );
});

const sum = (numbers: readonly number[]) =>
  numbers.reduce((total, each) => total + each, 0);
const range = (first: number, size: number) =>
  Array.from({ length: size }, (_, i) => first + i);

function damageHeader(
  batch: Buffer,
  first: number,
  how: typeof damage extends fc.Arbitrary<infer T> ? T : never,
): void {
  if ("magic" in how) withMagic(batch, how.magic);
  else if ("raisedBy" in how) withBase(batch, first + how.raisedBy);
  else withBase(batch, first - how.loweredBy);
}

/** Fetches until the log's end, and gives up what is broken. A fetch begins with the batch that holds its offset. */
async function readLog(
  batches: readonly Buffer[],
  firsts: readonly number[],
  end: number,
): Promise<{ good: number[]; lost: number[] }> {
  const good: number[] = [];
  const lost: number[] = [];
  for (let at = 0; at < end;) {
    const from = firsts.findLastIndex((first) => first <= at);
    const found = await read(Buffer.concat(batches.slice(from)), {
      fetchOffset: at,
      highWatermark: end,
    });
    good.push(...found.records.map(({ offset }) => offset));
    const last = found.broken?.unreadable?.lastOffset ?? found.lastOffset;
    if (last === null) throw new Error(`nothing was read at ${at}`);
    if (found.broken !== null) lost.push(...range(at, last - at + 1));
    at = last + 1;
  }
  return { good, lost };
}

test("records of the old formats count against the memory budget at their inflated size", async () => {
  const inner = oldEntry(0, Buffer.alloc(30 << 20), 0);
  const packed = gzipSync(inner, { level: 9 });
  const entries = Array.from({ length: 12 }, (_, i) => oldEntry(i, packed, 1));

  const { records, lastOffset, broken } = await read(Buffer.concat(entries));

  const bytes = records.reduce((sum, { value }) => sum + value!.length, 0);
  expect(broken).toBeNull();
  expect(lastOffset).toBe(records.length - 1);
  expect(bytes).toBeLessThanOrEqual(RESPONSE_BUDGET_BYTES + (30 << 20));
});

test("an old record's offset is compared with the log, too, and old records below the fetch offset are skipped", async () => {
  const entry = (offset: number) => oldEntry(offset, Buffer.from("v"), 0);

  const far = await read(entry(1 << 20));
  const below = await read(Buffer.concat([entry(4), entry(5), entry(6)]), {
    fetchOffset: 6,
  });
  const back = await read(Buffer.concat([entry(0), entry(1), entry(1)]));

  expect(lostOf(far)).toEqual([0, 0, entry(0).length]);
  expect(offsetsOf(below)).toEqual([6, 6]);
  expect(back).toMatchObject({ lastOffset: 1, broken: null });
});

test("an old entry is broken unless its records' offsets ascend up to the entry's own", async () => {
  const inner = (...offsets: number[]) =>
    gzipSync(
      Buffer.concat(offsets.map((each) => oldEntry(each, Buffer.from("v"), 0))),
    );

  const good = await read(oldEntry(2, inner(0, 1, 2), 1));
  const bad = await read(oldEntry(2, inner(0, 1, 1, 2), 1));

  expect(offsetsOf(good)).toEqual([0, 2]);
  expect(bad).toMatchObject({ records: [], lastOffset: null });
  expect(bad.broken?.unreadable?.lastOffset).toBe(2);
});

/** Magic 1, without a key. */
function oldEntry(offset: number, value: Buffer, codec: number): Buffer {
  const head = Buffer.alloc(34);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeInt32BE(head.length - 12 + value.length, 8);
  head[16] = 1;
  head[17] = codec;
  head.writeBigInt64BE(1n, 18);
  head.writeInt32BE(-1, 26);
  head.writeInt32BE(value.length, 30);
  const entry = Buffer.concat([head, value]);
  entry.writeUInt32BE(crc32(entry.subarray(16)), 12);
  return entry;
}
