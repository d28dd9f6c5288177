/** Broken record batches, with every codec. Most have a right checksum, as a faulty producer would give them. */
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import { expect, test } from "@jest/globals";
import { crc32, crc32c } from "@node-rs/crc32";
import { fuzz, mutated, rawBatch, rawRecords } from "@postrider/testkit";
import { compressFrame } from "lz4-napi";
import { compress } from "snappy";
import { registerCompression } from "./compression.ts";
import {
  RECORD_OVERHEAD_BYTES,
  RESPONSE_BUDGET_BYTES,
} from "./fetched-records.ts";
import { CODECS } from "./inflate.ts";
import { decodeBatches } from "./record-batch-decoder.ts";

registerCompression();

const compressors: readonly (readonly [
  number,
  (bytes: Buffer) => Promise<Buffer>,
])[] = [
  [0, (bytes) => Promise.resolve(bytes)],
  [CODECS.gzip, promisify<Buffer, Buffer>(gzip)],
  [CODECS.snappy, (bytes) => compress(bytes)],
  [CODECS.lz4, (bytes) => compressFrame(bytes)],
  [CODECS.zstd, promisify<Buffer, Buffer>(zstdCompress)],
];
const BATCH_HEADER_BYTES = 61;

async function batches(): Promise<Buffer[]> {
  const records = rawRecords([
    { key: Buffer.from("k"), value: Buffer.from("value") },
    {
      value: Buffer.alloc(3_000, "a"),
      headers: [
        ["content-type", Buffer.from("application/json")],
        ["__proto__", null],
        ["content-type", Buffer.from("again")],
      ],
    },
    { key: null, value: null },
  ]);
  return await Promise.all(
    compressors.map(async ([codec, pack]) =>
      rawBatch({ codec, size: 3, records: await pack(records), baseOffset: 4 }),
    ),
  );
}

/** An entry in the format from before Kafka 0.11 (magic 1), and one with two others in it, compressed by gzip. */
async function oldEntries(): Promise<Buffer[]> {
  const entry = (offset: number, attributes: number, value: Buffer): Buffer => {
    const made = Buffer.alloc(34 + value.length);
    made.writeBigInt64BE(BigInt(offset));
    made[16] = 1;
    made[17] = attributes;
    made.writeInt32BE(-1, 26);
    made.writeInt32BE(value.length, 30);
    value.copy(made, 34);
    return repaired(made);
  };
  const plain = entry(4, 0, Buffer.from("value"));
  const inner = Buffer.concat([entry(0, 0, Buffer.from("a")), plain]);
  const packed = await promisify<Buffer, Buffer>(gzip)(inner);
  return [plain, entry(5, CODECS.gzip, packed)];
}

/** The batch, or the entry, with its length and its checksum put right, so that what was changed behind them is read. */
function repaired(batch: Buffer): Buffer {
  if (batch.length < 34) return batch;
  const made = Buffer.from(batch);
  made.writeInt32BE(made.length - 12, 8);
  if (made[16]! < 2) {
    made.writeUInt32BE(crc32(made.subarray(16)), 12);
    return made;
  }
  if (batch.length < BATCH_HEADER_BYTES) return batch;
  made[16] = 2;
  made.writeUInt32BE(crc32c(made.subarray(21)), 17);
  return made;
}

test("whatever a broker sends, each offset is a record, a record that says why it cannot be read, or fetched again", async () => {
  const whole = [...(await batches()), ...(await oldEntries())];
  await fuzz({
    name: "record batches",
    inputs: 1_500,
    make: (random) => {
      const one = (): Buffer => {
        const broken = mutated(
          random,
          whole[random.between(0, whole.length - 1)]!,
          whole,
        );
        return random.next() < 0.8 ? repaired(broken) : broken;
      };
      const set = [one(), one()].slice(0, random.between(1, 2));
      return { set: Buffer.concat(set), fetchOffset: random.between(0, 8) };
    },
    feed: async ({ set, fetchOffset }) => {
      const budget = { leftBytes: RESPONSE_BUDGET_BYTES };
      const found = await decodeBatches(
        set,
        {
          topic: "t",
          partition: 0,
          fetchOffset,
          highWatermark: 100_000,
          aborted: [],
        },
        budget,
      );

      const { records, broken, lastOffset } = found;
      let previous = fetchOffset - 1;
      for (const { offset, unreadable } of records) {
        expect(offset).toBeGreaterThan(previous);
        previous = unreadable?.lastOffset ?? offset;
      }
      if (lastOffset !== null) expect(previous).toBeLessThanOrEqual(lastOffset);
      for (const one of broken === null ? records : [broken])
        if (one.unreadable !== undefined) {
          expect(one.unreadable.detail).not.toBe("");
          expect(one.unreadable.detail.length).toBeLessThan(600);
          expect(one.unreadable.lastOffset).toBeGreaterThanOrEqual(one.offset);
        }
      // What the records take was counted.
      const counted = RESPONSE_BUDGET_BYTES - budget.leftBytes;
      expect(counted).toBeGreaterThanOrEqual(
        records.filter(({ unreadable }) => unreadable === undefined).length *
          RECORD_OVERHEAD_BYTES,
      );
    },
  });
});
