import { createRequire } from "node:module";
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import { expect, test } from "@jest/globals";
import { rawBatch, rawRecords } from "@postrider/testkit";
import fc from "fast-check";
import { compressFrame } from "lz4-napi";
import { compress } from "snappy";
import type { RawRecord, RecordHeaders } from "../../record.ts";
import { registerCompression } from "./compression.ts";
import { CODECS } from "./inflate.ts";
import { MAX_HEADERS } from "./record-decoder.ts";
import { encodeProduceBody, type BatchRecord } from "./record-batch.ts";
import {
  MAX_RECORDS,
  RESPONSE_BUDGET_BYTES,
  type FetchBudget,
  type FetchedRecords,
  type PartitionFetch,
} from "./fetched-records.ts";
import { decodeBatches } from "./record-batch-decoder.ts";

const load = createRequire(import.meta.url);
registerCompression();

type RecordBatchEncoder = (batch: object) => Promise<{ buffer: Buffer }>;
const kafkajsBatch = load("kafkajs/src/protocol/recordBatch/v0") as {
  RecordBatch: RecordBatchEncoder;
};
const kafkajsRecord = load("kafkajs/src/protocol/recordBatch/record/v0") as (
  record: object,
) => object;
const kafkajsMessageSet = load("kafkajs/src/protocol/messageSet") as (
  set: object,
) => { buffer: Buffer };

const kafkajsMessage = load("kafkajs/src/protocol/message/v1") as (
  message: object,
) => { buffer: Buffer };

const COMPRESSORS = {
  none: (bytes: Buffer) => Promise.resolve(bytes),
  gzip: promisify<Buffer, Buffer>(gzip),
  snappy: (bytes: Buffer) => compress(bytes),
  lz4: (bytes: Buffer) => compressFrame(bytes),
  zstd: promisify<Buffer, Buffer>(zstdCompress),
} as const;
const codecNames = Object.keys(CODECS) as (keyof typeof CODECS)[];

/** Reads a copy of the set, and overwrites that afterwards: no record may be a view of it, because its memory is used again. */
async function read(
  set: Buffer,
  fetch: Partial<PartitionFetch> = {},
  budget: FetchBudget = { leftBytes: RESPONSE_BUDGET_BYTES },
): Promise<FetchedRecords> {
  const copy = Buffer.from(set);
  const found = await decodeBatches(
    copy,
    {
      topic: "t",
      partition: 3,
      fetchOffset: 0,
      highWatermark: 1_000_000,
      aborted: [],
      ...fetch,
    },
    budget,
  );
  copy.fill(0xee);
  return found;
}

/** `count` records of one value each, from `baseOffset` on. */
function batchOf(
  baseOffset: number,
  values: readonly string[],
  more: Partial<Parameters<typeof rawBatch>[0]> = {},
): Buffer {
  const records = rawRecords(
    values.map((value) => ({ value: Buffer.from(value) })),
  );
  return rawBatch({ baseOffset, size: values.length, records, ...more });
}

const valuesOf = ({ records }: FetchedRecords) =>
  records.map((record) =>
    record.unreadable === undefined
      ? String(record.value)
      : `${record.unreadable.reason} ${record.offset}-${record.unreadable.lastOffset}`,
  );

const bytes = fc
  .oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 9000 }))
  .map((each) => Buffer.from(each));
const name = fc.string({ unit: "grapheme", maxLength: 12 });
const headers = fc.dictionary(
  name.filter((each) => each !== "__proto__"),
  fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 })),
  { maxKeys: 4, noNullPrototype: true },
);
const record = fc.record(
  { key: fc.option(bytes), value: fc.option(bytes), headers },
  { requiredKeys: ["key", "value"] },
);
const records = fc.array(record, { minLength: 1, maxLength: 12 });

/** The batch in the body of a Produce request for a topic of one letter. */
function byOurEncoder(messages: readonly BatchRecord[], now: number): Buffer {
  const body = encodeProduceBody({
    transactionalId: null,
    acks: -1,
    timeoutMs: 1,
    producerId: -1n,
    producerEpoch: -1,
    now,
    topics: [
      {
        topic: "t",
        partitions: [{ partition: 0, firstSequence: 0, messages }],
      },
    ],
  });
  return Buffer.concat(body).subarray(27);
}

async function byKafkajs(
  messages: readonly BatchRecord[],
  now: number,
  codec: keyof typeof CODECS,
): Promise<Buffer> {
  const made = await kafkajsBatch.RecordBatch({
    compression: CODECS[codec],
    firstTimestamp: now,
    maxTimestamp: now,
    lastOffsetDelta: messages.length - 1,
    records: messages.map((each, i) =>
      kafkajsRecord({ ...each, offsetDelta: i, timestampDelta: i }),
    ),
  });
  return Buffer.from(made.buffer);
}

function expectRead(
  { records: found, lastOffset, broken }: FetchedRecords,
  given: readonly BatchRecord[],
): void {
  expect(broken).toBeNull();
  expect(lastOffset).toBe(given.length - 1);
  expect(found.map(({ offset }) => offset)).toEqual(given.map((_, i) => i));
  expect(found.map(({ key, value }) => ({ key, value }))).toEqual(
    given.map(({ key, value }) => ({ key, value })),
  );
  expect(found.map((each) => each.headers)).toEqual(
    given.map((each) => each.headers ?? {}),
  );
}

test("what our encoder writes is read back", async () => {
  await fc.assert(
    fc.asyncProperty(records, async (given) => {
      const now = 1_790_000_000_000;

      const found = await read(byOurEncoder(given, now));

      expectRead(found, given);
      expect(new Set(found.records.map(({ timestamp }) => timestamp))).toEqual(
        new Set([now]),
      );
    }),
    { numRuns: 200 },
  );
});

test.each(codecNames)(
  "what kafkajs writes with codec %s is read back",
  async (codec) => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const now = 1_790_000_000_000;

        const found = await read(await byKafkajs(given, now, codec));

        expectRead(found, given);
        expect(found.records.map(({ timestamp }) => timestamp)).toEqual(
          given.map((_, i) => now + i),
        );
      }),
      { numRuns: 50 },
    );
  },
);

/** A set of three batches, of which the second is compressed. */
async function threeBatches(codec: keyof typeof CODECS): Promise<Buffer> {
  const many = rawRecords(
    Array.from({ length: 50 }, (_, i) => ({
      key: Buffer.from(`key ${i}`),
      value: Buffer.from(`a value that repeats itself, number ${i}`),
      headers: [["name", Buffer.from("value")]] as const,
    })),
  );
  return Buffer.concat([
    batchOf(0, ["a", "b"]),
    rawBatch({
      baseOffset: 2,
      size: 50,
      codec: CODECS[codec],
      records: await COMPRESSORS[codec](many),
    }),
    batchOf(52, ["c"]),
  ]);
}

/** Checks what must hold for every result, whatever the bytes were. */
function expectSound(found: FetchedRecords, fetchOffset: number): void {
  const isNothing = found.lastOffset === null;
  if (found.broken !== null) expect(isNothing).toBe(true);
  if (isNothing) expect(found.records).toEqual([]);
  let previous = fetchOffset - 1;
  for (const each of found.records) {
    expect(each.offset).toBeGreaterThan(previous);
    previous = each.unreadable?.lastOffset ?? each.offset;
    expect(previous).toBeGreaterThanOrEqual(each.offset);
  }
  if (found.lastOffset !== null)
    expect(found.lastOffset).toBeGreaterThanOrEqual(previous);
  const lost = found.records.filter(
    ({ unreadable }) => unreadable !== undefined,
  );
  expect(found.unreadable).toEqual(lost);
}

const mutation = fc.oneof(
  fc.record({ kind: fc.constant("flip"), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("byte"), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constant("cut"), at: fc.nat() }),
  fc.record({ kind: fc.constant("int32"), at: fc.nat(), number: fc.integer() }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutated(set: Buffer, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(set);
  for (const each of mutations) {
    if (bytes.length < 4) return bytes;
    const at = each.at % (bytes.length - 3);
    if ("bit" in each) bytes[at] = bytes[at]! ^ (1 << each.bit);
    else if ("value" in each) bytes[at] = each.value;
    else if ("number" in each) bytes.writeInt32BE(each.number, at);
    else bytes = bytes.subarray(0, at);
  }
  return bytes;
}

test.each(codecNames)(
  "bytes that were changed or cut on the way never throw and never give what was not sent (%s)",
  async (codec) => {
    const set = await threeBatches(codec);
    const sent = (await read(set)).records.map(textOfRecord);
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.nat(60),
        async (mutations, fetchOffset) => {
          const bad = mutated(set, mutations);

          const found = await read(bad, { fetchOffset });

          expectSound(found, fetchOffset);
          // The checksum does not cover the base offset; everything else that is read must be as it was sent.
          for (const each of found.records)
            if (each.unreadable === undefined)
              expect(sent).toContain(textOfRecord(each));
        },
      ),
      { numRuns: 300 },
    );
  },
);

function textOfRecord({ key, value, headers: own }: RawRecord): string {
  return JSON.stringify([String(key), String(value), own]);
}

test.each(codecNames)(
  "a batch that was written broken, with a right checksum, never throws and never hangs (%s)",
  async (codec) => {
    const records = rawRecords(
      Array.from({ length: 40 }, (_, i) => ({
        key: Buffer.from(`k${i}`),
        value: Buffer.from(`value value value ${i}`),
        headers: [["n", Buffer.from("v")]] as const,
      })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 0, maxLength: 3 }),
        fc.array(mutation, { minLength: 0, maxLength: 3 }),
        fc.option(fc.integer(), { nil: 40 }),
        fc.option(fc.integer(), { nil: 39 }),
        async (inside, outside, count, lastOffsetDelta) => {
          const packed = await COMPRESSORS[codec](mutated(records, inside));
          const bad = rawBatch({
            size: 40,
            codec: CODECS[codec],
            count,
            lastOffsetDelta,
            records: mutated(packed, outside),
          });

          expectSound(await read(bad), 0);
        },
      ),
      { numRuns: 300 },
    );
  },
);

test.each(["gzip", "snappy", "lz4", "zstd"] as const)(
  "64 MB of zeros are not inflated (%s), and what is behind them is read",
  async (codec) => {
    const bomb = rawRecords([{ value: Buffer.alloc(64 << 20) }]);
    const set = Buffer.concat([
      batchOf(0, ["before"]),
      rawBatch({
        baseOffset: 1,
        size: 1,
        codec: CODECS[codec],
        records: await COMPRESSORS[codec](bomb),
      }),
      batchOf(2, ["behind"]),
    ]);
    const before = process.memoryUsage().arrayBuffers;

    const found = await read(set);

    expect(valuesOf(found)).toEqual([
      "before",
      "too_large_inflated 1-1",
      "behind",
    ]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48 << 20);
  },
);

test("a batch with more records than the limit is left out, whatever its size, and a false count allocates nothing", async () => {
  const empty = rawRecords([{}]);
  const many = Buffer.concat(Array.from({ length: 1000 }, () => empty));
  const set = Buffer.concat([
    batchOf(0, ["before"]),
    rawBatch({ baseOffset: 1, size: MAX_RECORDS + 1, records: many }),
    rawBatch({
      baseOffset: MAX_RECORDS + 2,
      size: 1000,
      count: MAX_RECORDS,
      records: many,
    }),
    batchOf(MAX_RECORDS + 1002, ["behind"]),
  ]);

  const found = await read(set);

  expect(valuesOf(found)).toEqual([
    "before",
    `too_many_records 1-${MAX_RECORDS + 1}`,
    `framing ${MAX_RECORDS + 2}-${MAX_RECORDS + 1001}`,
    "behind",
  ]);
});

test("a batch with as many empty records as the limit allows is read", async () => {
  const records = rawRecords(Array.from({ length: MAX_RECORDS }, () => ({})));
  const packed = await COMPRESSORS.zstd(records);

  const { records: found, lastOffset } = await read(
    rawBatch({ size: MAX_RECORDS, codec: CODECS.zstd, records: packed }),
  );

  expect(found).toHaveLength(MAX_RECORDS);
  expect(lastOffset).toBe(MAX_RECORDS - 1);
});

test("a record with too many headers is lost alone, with its key and its value", async () => {
  const many = Array.from(
    { length: MAX_HEADERS + 1 },
    (_, i) => [`h${i}`, null] as const,
  );
  const records = rawRecords([
    { value: Buffer.from("a") },
    { key: Buffer.from("k"), value: Buffer.from("b"), headers: many },
    { value: Buffer.from("c"), headers: many.slice(1) },
  ]);

  const { records: found } = await read(rawBatch({ size: 3, records }));

  expect(found.map(({ value }) => String(value))).toEqual(["a", "b", "c"]);
  expect(found.map(({ unreadable }) => unreadable?.reason)).toEqual([
    undefined,
    "too_many_headers",
    undefined,
  ]);
  expect(String(found[1]!.key)).toBe("k");
  expect(Object.keys(found[2]!.headers)).toHaveLength(MAX_HEADERS);
});

/** The time must grow linearly with the number of headers: kafkajs' own decoder needs minutes for these. */
test("as many headers of one name as the limit allows are all kept, in order", async () => {
  const values = Array.from({ length: MAX_HEADERS }, (_, i) => String(i));
  const records = rawRecords(
    Array.from({ length: 20 }, () => ({
      headers: values.map((value) => ["h", Buffer.from(value)] as const),
    })),
  );

  const { records: found } = await read(rawBatch({ size: 20, records }));

  expect(found).toHaveLength(20);
  expect(found.at(-1)!.headers["h"]?.toString()).toBe(values.join(","));
});

function headersOf(
  given: readonly (readonly [string, Buffer | null])[],
): Promise<RecordHeaders> {
  const records = rawRecords([{ headers: given }]);
  return read(rawBatch({ size: 1, records })).then(
    ({ records: found }) => found[0]!.headers,
  );
}

test.each(["__proto__", "constructor", "toString", "valueOf", "length", ""])(
  "a header that is named %p is read as any other, and others beside it",
  async (given) => {
    const a = Buffer.from("a");
    const b = Buffer.from("b");

    const own = await headersOf([
      [given, a],
      ["other", b],
      [given, b],
    ]);

    expect(Object.entries(own)).toEqual([
      [given, [a, b]],
      ["other", b],
    ]);
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
  },
);

test("a header without a value is an empty one", async () => {
  const own = await headersOf([
    ["none", null],
    ["twice", null],
    ["twice", Buffer.from("a")],
  ]);

  expect(own).toEqual({
    none: Buffer.alloc(0),
    twice: [Buffer.alloc(0), Buffer.from("a")],
  });
});

test("records below the fetch offset are skipped, and `lastOffset` is the batch's own end, even if compaction removed its last records", async () => {
  const set = batchOf(10, ["a", "b", "c"], { lastOffsetDelta: 8 });

  const found = await read(set, { fetchOffset: 11 });

  expect(valuesOf(found)).toEqual(["b", "c"]);
  expect(found.lastOffset).toBe(18);
});

test("gaps in a batch and between batches are no fault", async () => {
  const gappy = rawRecords([
    { value: Buffer.from("a"), offsetDelta: 3 },
    { value: Buffer.from("b"), offsetDelta: 7 },
  ]);
  const set = Buffer.concat([
    rawBatch({ baseOffset: 10, size: 2, lastOffsetDelta: 9, records: gappy }),
    rawBatch({
      baseOffset: 30,
      size: 0,
      lastOffsetDelta: 4,
      records: Buffer.alloc(0),
    }),
    batchOf(50, ["c"]),
    batchOf(51, ["d"]),
  ]);

  const found = await read(set, { fetchOffset: 5 });

  expect(found.records.map(({ offset }) => offset)).toEqual([13, 17, 50, 51]);
  expect(found.lastOffset).toBe(51);
});

test("a topic with LogAppendTime gives the batch's time to every record, another each its own", async () => {
  const records = rawRecords([
    { value: Buffer.from("a"), timestampDelta: 0 },
    { value: Buffer.from("b"), timestampDelta: -5 },
    { value: Buffer.from("c"), timestampDelta: 1_000_000_000 },
  ]);
  const given = { size: 3, records, baseTimestamp: 1_700_000_000_000 };
  const timesOf = (found: FetchedRecords) =>
    found.records.map(({ timestamp }) => timestamp);

  const created = await read(rawBatch({ ...given, maxTimestamp: 9 }));
  const appended = await read(
    rawBatch({ ...given, maxTimestamp: 1_800_000_000_000, attributes: 0x8 }),
  );

  expect(timesOf(created)).toEqual([
    1_700_000_000_000, 1_699_999_999_995, 1_701_000_000_000,
  ]);
  expect(timesOf(appended)).toEqual(Array(3).fill(1_800_000_000_000));
});

const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The end of a transaction. */
function marker(
  baseOffset: number,
  producerId: bigint,
  isAbort: boolean,
): Buffer {
  const key = Buffer.from([0, 0, 0, isAbort ? 0 : 1]);
  return rawBatch({
    baseOffset,
    size: 1,
    producerId,
    attributes: TRANSACTIONAL | CONTROL,
    records: rawRecords([{ key, value: Buffer.alloc(6) }]),
  });
}

test("records of aborted transactions are left out; other records between and behind them are kept", async () => {
  const attributes = TRANSACTIONAL;
  const set = Buffer.concat([
    batchOf(0, ["7 aborted"], { producerId: 7n, attributes }),
    batchOf(1, ["8 committed"], { producerId: 8n, attributes }),
    batchOf(2, ["7 aborted too"], { producerId: 7n, attributes }),
    batchOf(3, ["no transaction"], { producerId: 7n }),
    marker(4, 7n, true),
    marker(5, 8n, false),
    batchOf(6, ["7 committed"], { producerId: 7n, attributes }),
    marker(7, 7n, false),
    batchOf(8, ["8 aborted"], { producerId: 8n, attributes }),
    marker(9, 8n, true),
  ]);

  const found = await read(set, {
    aborted: [
      { producerId: 7n, firstOffset: 0 },
      { producerId: 8n, firstOffset: 8 },
    ],
  });

  expect(valuesOf(found)).toEqual([
    "8 committed",
    "no transaction",
    "7 committed",
  ]);
  expect(found.lastOffset).toBe(9);
});

test("a batch with only control records still moves `lastOffset`", async () => {
  const found = await read(marker(4, 7n, false), { fetchOffset: 4 });

  expect(found).toMatchObject({ records: [], lastOffset: 4, broken: null });
});

test("a batch that was cut at the end of a fetch is left for the next one", async () => {
  const whole = batchOf(0, ["a"]);
  const cut = batchOf(1, ["b"]);

  for (let size = 0; size < cut.length; size++) {
    const set = Buffer.concat([whole, cut.subarray(0, size)]);
    const found = await read(set);

    expect(valuesOf(found)).toEqual(["a"]);
    expect(found).toMatchObject({ lastOffset: 0, broken: null });
  }
});

test("a wrong checksum ends the reading before its batch; if it is the first batch, `broken` names the offsets that would be lost", async () => {
  const bad = batchOf(1, ["bad", "worse"]);
  bad[bad.length - 2]! ^= 1;
  const rest = Buffer.concat([bad, batchOf(3, ["behind"])]);

  const first = await read(Buffer.concat([batchOf(0, ["before"]), rest]));
  const second = await read(rest, { fetchOffset: 1 });

  expect(valuesOf(first)).toEqual(["before"]);
  expect(first).toMatchObject({ lastOffset: 0, broken: null });
  expect(second).toMatchObject({
    records: [],
    lastOffset: null,
    broken: {
      offset: 1,
      value: bad,
      unreadable: { lastOffset: 2, reason: "checksum" },
    },
  });
});

test("the last offset that a broken batch claims is limited by the batch behind it and by the log's end", async () => {
  const bad = batchOf(1, ["bad", "worse"], { lastOffsetDelta: 5000 });
  bad[bad.length - 2]! ^= 1;

  const followed = await read(Buffer.concat([bad, batchOf(3, ["behind"])]), {
    fetchOffset: 1,
  });
  const last = await read(bad, { fetchOffset: 1, highWatermark: 3 });

  expect(followed.broken?.unreadable?.lastOffset).toBe(2);
  expect(last.broken?.unreadable?.lastOffset).toBe(2);
});

test("a batch whose offsets repeat or go back is left out, because its records could be taken for others that are done", async () => {
  const records = rawRecords([
    { value: Buffer.from("a"), offsetDelta: 0 },
    { value: Buffer.from("b"), offsetDelta: 0 },
  ]);

  const found = await read(
    Buffer.concat([rawBatch({ size: 2, records }), batchOf(2, ["behind"])]),
  );

  expect(valuesOf(found)).toEqual(["framing 0-1", "behind"]);
});

test("a batch that claims no records but has some is unreadable, and not skipped silently", async () => {
  const found = await read(batchOf(0, ["a", "b"], { count: 0 }));

  expect(valuesOf(found)).toEqual(["framing 0-1"]);
});

test("a batch with a codec that Kafka does not have is left out", async () => {
  const found = await read(
    Buffer.concat([batchOf(0, ["a"], { codec: 6 }), batchOf(1, ["behind"])]),
  );

  expect(valuesOf(found)).toEqual(["unknown_codec 0-0", "behind"]);
});

test("the memory of one response is bounded: batches beyond the budget are left for the next fetch", async () => {
  const set = Buffer.concat([batchOf(0, ["a"]), batchOf(1, ["b"])]);
  const budget = { leftBytes: 1 };

  const first = await read(set, {}, budget);
  const other = await read(set, {}, budget);

  expect(valuesOf(first)).toEqual(["a"]);
  expect(other).toMatchObject({ records: [], lastOffset: null, broken: null });
});

test("a record that is kept in memory keeps only a few others of its fetch there", async () => {
  const records = rawRecords(
    Array.from({ length: 2000 }, (_, i) => ({ value: Buffer.alloc(500, i) })),
  );

  const found = await read(rawBatch({ size: 2000, records }));

  const sizes = found.records.map(({ value }) => value!.buffer.byteLength);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8192);
});

test("a record that is seven eighths or more of what its batch inflated to is not copied, and any other is", async () => {
  const of = async (
    codec: "none" | "gzip",
    ...sizes: readonly number[]
  ): Promise<boolean[]> => {
    const records = rawRecords(
      sizes.map((size, i) => ({ value: Buffer.alloc(size, i) })),
    );
    const batch = rawBatch({
      size: sizes.length,
      codec: CODECS[codec],
      records: await COMPRESSORS[codec](records),
    });
    const found = await read(batch);
    expect(found.records.map(({ value }) => value)).toEqual(
      sizes.map((size, i) => Buffer.alloc(size, i)),
    );
    return found.records.map(
      ({ value }) => value!.buffer.byteLength >= records.length,
    );
  };

  expect(await of("gzip", 100_000)).toEqual([true]);
  expect(await of("gzip", 10_000, 90_000, 10)).toEqual([false, true, false]);
  expect(await of("gzip", 20_000, 90_000, 10)).toEqual([false, false, false]);
  expect(await of("none", 100_000)).toEqual([false]);
});

test.each([0, 1, 2, 3])(
  "records in the format before Kafka 0.11 are still read, with compression %d",
  async (compression) => {
    const entries = ["a", "b"].map((value) => ({
      key: "k",
      value,
      timestamp: 1_500_000_000_000,
    }));
    const inner = oldSet(entries);
    const set = compression === 0 ? inner : await wrapped(inner, compression);

    const found = await read(set);

    expect(valuesOf(found)).toEqual(["a", "b"]);
    expect(found.records.map(({ timestamp }) => timestamp)).toEqual(
      Array(2).fill(1_500_000_000_000),
    );
    expect(found.lastOffset).toBe(1);
  },
);

test("a broken record in the old format is treated like a broken batch", async () => {
  const set = oldSet([{ key: "k", value: "a", timestamp: 1 }]);
  set[set.length - 1]! ^= 1;

  const { broken } = await read(set);

  expect(broken?.unreadable).toMatchObject({
    lastOffset: 0,
    reason: "framing",
  });
});

function oldSet(
  entries: readonly { key: string; value: string; timestamp: number }[],
): Buffer {
  const set = Buffer.from(
    kafkajsMessageSet({ messageVersion: 1, compression: 0, entries }).buffer,
  );
  // The encoder leaves the offset to the broker.
  for (let i = 0, at = 0; at < set.length; i++) {
    set.writeBigInt64BE(BigInt(i), at);
    at += 12 + set.readInt32BE(at + 8);
  }
  return set;
}

async function wrapped(inner: Buffer, compression: number): Promise<Buffer> {
  const value = await COMPRESSORS[codecNames[compression]!](inner);
  const message = kafkajsMessage({
    compression,
    timestamp: 1_500_000_000_000,
    key: null,
    value,
  }).buffer;
  const head = Buffer.alloc(12);
  head.writeBigInt64BE(1n, 0);
  head.writeInt32BE(message.length, 8);
  return Buffer.concat([head, message]);
}
