/**
 * What a broker sent of one partition, as our records: batch after batch, in order, from the fetch's offset on.
 *
 * Never throws, and takes memory and time in proportion to its limits, whatever the bytes are. What cannot be taken stands
 * in the list as one record that says so (`RawRecord.unreadable`), and reading goes on behind it. Only where the fault may
 * lie with this one transfer (a wrong checksum, broken framing, bytes that do not inflate) reading ends before it: the
 * next fetch then begins with that batch, and whoever fetches decides how often (reread.ts). `broken` is what it becomes
 * when it is given up.
 *
 * Source of the format: Kafka's protocol guide, Record Batch; of aborted transactions: Kafka's own consumer.
 */
import { crc32c } from "@node-rs/crc32";
import type { RawRecord, UnreadableReason } from "../../record.ts";
import {
  CODECS,
  inflate,
  InflatedTooLargeError,
  type Codec,
} from "./inflate.ts";
import { decodeOldEntry } from "./old-entry.ts";
import { BatchFramingError, decodeRecords } from "./record-decoder.ts";

/**
 * A batch inflates to this at most: 32 times what a broker takes by default (`message.max.bytes`, 1 MiB), where JSON shrinks
 * to a tenth or a twentieth. Batches of brokers that take more may inflate to eight times their own size.
 */
export function inflatedLimit(batchBytes: number): number {
  return Math.max(32 << 20, 8 * batchBytes);
}

/** About 50 MB as objects. Producers close a batch by its bytes, 1 MB or less: four bytes a record. */
export const MAX_RECORDS = 250_000;

export interface PartitionFetch {
  readonly topic: string;
  readonly partition: number;
  /** What was asked for: what lies below it is passed over. */
  readonly fetchOffset: number;
  readonly highWatermark: number;
  /** Transactions whose records are not for us, by their first offset, ascending. */
  readonly aborted: readonly AbortedTransaction[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What may still be made of one response, in bytes. Shared by its partitions; what goes beyond is fetched again. */
export interface FetchBudget {
  leftBytes: number;
}

/** What one response may become in memory: six times what a fetch asks for (10 MiB). Its last batch may go beyond. */
export const RESPONSE_BUDGET_BYTES = 64 << 20;
/** What a record takes beside its bytes, about. */
const RECORD_OVERHEAD_BYTES = 200;

export interface FetchedRecords {
  readonly records: readonly RawRecord[];
  /** Those of them that are `unreadable`. */
  readonly unreadable: readonly RawRecord[];
  /** All up to here is accounted for; null: nothing is. It may be control records, aborted or compacted ones only. */
  readonly lastOffset: number | null;
  /** Set where nothing is accounted for because the very first batch is broken. */
  readonly broken: RawRecord | null;
}

/** From a batch's start to these fields, and to its records. */
const AT = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const;
const LENGTH_END = 12;
const MAGIC = 2;
const LOG_APPEND_TIME = 0x8;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

const CODEC_NAMES = Object.fromEntries(
  Object.entries(CODECS).map(([name, number]) => [number, name]),
) as Readonly<Record<number, Codec | "none">>;

/** `set` is the partition's record set, as it came. */
export async function decodeBatches(
  set: Buffer,
  fetch: PartitionFetch,
  budget: FetchBudget,
): Promise<FetchedRecords> {
  const reader = new BatchReader(set, fetch, budget);
  await reader.readAll();
  return reader;
}

/** A batch that is whole and whose checksum, where it has one we know, is right. */
interface Batch {
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

/** Why a batch ends the reading. */
class BrokenError extends Error {
  readonly code = "BATCH_BROKEN";
  readonly reason: UnreadableReason;

  constructor(reason: UnreadableReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

class BatchReader implements FetchedRecords {
  readonly records: RawRecord[] = [];
  readonly unreadable: RawRecord[] = [];
  lastOffset: number | null = null;
  broken: RawRecord | null = null;
  readonly #set: Buffer;
  readonly #fetch: PartitionFetch;
  readonly #budget: FetchBudget;
  /** Producers in whose aborted transaction the reading stands. */
  readonly #aborting = new Set<bigint>();
  #abortedAt = 0;

  constructor(set: Buffer, fetch: PartitionFetch, budget: FetchBudget) {
    this.#set = set;
    this.#fetch = fetch;
    this.#budget = budget;
  }

  async readAll(): Promise<void> {
    for (let at = 0; at < this.#set.length;) {
      if (this.#budget.leftBytes <= 0) return;
      try {
        at = await this.#readAt(at);
      } catch (error) {
        // The tail of what a broker sends is often cut; then it is read with the next fetch.
        if (this.lastOffset === null) this.broken = this.#brokenAt(at, error);
        return;
      }
    }
  }

  /** Reads the batch that begins there; gives where the next one does. */
  async #readAt(at: number): Promise<number> {
    const set = this.#set;
    if (at + AT.crc > set.length)
      throw new BrokenError("framing", "it ends within its header");
    const end = at + LENGTH_END + set.readInt32BE(at + AT.length);
    if (end < at + AT.crc || end > set.length)
      throw new BrokenError("framing", "it ends outside of what was sent");
    const magic = set.readInt8(at + AT.magic);
    if (magic < MAGIC) await this.#readOldEntry(at, end);
    else if (magic > MAGIC)
      throw new BrokenError("framing", `its format is ${magic}`);
    else await this.#readBatch(this.#checked(at, end));
    return end;
  }

  #checked(start: number, end: number): Batch {
    const set = this.#set;
    if (end < start + AT.records)
      throw new BrokenError("framing", "it is shorter than its header");
    const crc = set.readUInt32BE(start + AT.crc);
    if (crc32c(set.subarray(start + AT.attributes, end)) !== crc)
      throw new BrokenError("checksum", "its checksum (CRC-32C) is wrong");
    const baseOffset = int64(set, start);
    const lastOffset = baseOffset + set.readInt32BE(start + AT.lastOffsetDelta);
    const next = (this.lastOffset ?? this.#fetch.fetchOffset - 1) + 1;
    const isAfter = this.lastOffset === null || baseOffset >= next;
    if (
      baseOffset < 0 ||
      lastOffset < baseOffset ||
      lastOffset < next ||
      !isAfter
    )
      throw new BrokenError(
        "framing",
        `it claims offsets ${baseOffset} to ${lastOffset} where ${next} is next`,
      );
    return { start, end, baseOffset, lastOffset };
  }

  async #readBatch(batch: Batch): Promise<void> {
    const attributes = this.#set.readInt16BE(batch.start + AT.attributes);
    const isAborted = this.#isAborted(batch, attributes);
    if (!isAborted && (attributes & CONTROL) === 0)
      await this.#take(batch, attributes);
    this.lastOffset = batch.lastOffset;
  }

  /** Whether its records belong to a transaction that was aborted; a marker of its end is noted. */
  #isAborted(batch: Batch, attributes: number): boolean {
    const { aborted } = this.#fetch;
    if (aborted.length === 0 || (attributes & TRANSACTIONAL) === 0)
      return false;
    for (; this.#abortedAt < aborted.length; this.#abortedAt++) {
      const { firstOffset, producerId } = aborted[this.#abortedAt]!;
      if (firstOffset > batch.lastOffset) break;
      this.#aborting.add(producerId);
    }
    const producerId = this.#set.readBigInt64BE(batch.start + AT.producerId);
    if ((attributes & CONTROL) === 0) return this.#aborting.has(producerId);
    // A marker ends what its producer had begun.
    this.#aborting.delete(producerId);
    return true;
  }

  async #take(batch: Batch, attributes: number): Promise<void> {
    const set = this.#set;
    const { start, end, baseOffset, lastOffset } = batch;
    const { topic, partition, fetchOffset } = this.#fetch;
    const count = set.readInt32BE(start + AT.count);
    const codec = CODEC_NAMES[attributes & 7];
    if (codec === undefined)
      return this.#leaveOut(batch, {
        reason: "unknown_codec",
        why: `its compression has the number ${attributes & 7}`,
      });
    if (count > MAX_RECORDS)
      return this.#leaveOut(batch, {
        reason: "too_many_records",
        why: `it has ${count} records; at most ${MAX_RECORDS} are taken`,
      });
    const limit = inflatedLimit(end - start);
    const packed = set.subarray(start + AT.records, end);
    // Compaction leaves the header of a batch that has no record any more.
    if (count === 0 && packed.length === 0) return;
    let bytes: Buffer;
    try {
      bytes = codec === "none" ? packed : await inflate(codec, packed, limit);
    } catch (error) {
      if (!(error instanceof InflatedTooLargeError))
        throw new BrokenError("compression", `${codec}: ${textOf(error)}`);
      return this.#leaveOut(batch, {
        reason: "too_large_inflated",
        why: `its ${packed.length} bytes of ${codec} inflate to more than ${limit}`,
      });
    }
    const isAppendTime = (attributes & LOG_APPEND_TIME) !== 0;
    const before = this.records.length;
    try {
      decodeRecords(
        {
          topic,
          partition,
          fetchOffset,
          baseOffset,
          lastOffset,
          count,
          baseTimestamp: int64(set, start + AT.baseTimestamp),
          appendTimestamp: isAppendTime
            ? int64(set, start + AT.maxTimestamp)
            : null,
          bytes,
        },
        this.records,
      );
    } catch (error) {
      this.records.length = before;
      if (!(error instanceof BatchFramingError)) throw error;
      return this.#leaveOut(batch, { reason: "framing", why: error.message });
    }
    for (let i = before; i < this.records.length; i++) {
      const record = this.records[i]!;
      if (record.unreadable !== undefined) this.unreadable.push(record);
    }
    this.#budget.leftBytes -=
      bytes.length + (this.records.length - before) * RECORD_OVERHEAD_BYTES;
  }

  /** The checksum is right, so it is as the producer sent it, and to fetch it again would change nothing. */
  #leaveOut(batch: Batch, fault: Fault): void {
    const { start, end, baseOffset, lastOffset } = batch;
    const record = this.#inPlaceOf(
      { start, end, first: baseOffset, last: lastOffset },
      fault,
    );
    this.records.push(record);
    this.unreadable.push(record);
    this.#budget.leftBytes -= end - start;
  }

  /** What stands in the place of a batch that may be whole at the next fetch; its header is believed as far as it can be. */
  #brokenAt(start: number, error: unknown): RawRecord {
    const set = this.#set;
    const { fetchOffset, highWatermark } = this.#fetch;
    const header = this.#headerAt(start);
    const end = header?.end ?? set.length;
    // The batch behind it knows better where it ends: the checksum, which may be what is wrong, covers its own last offset.
    const next = header === null ? null : this.#headerAt(header.end);
    const limits = [header?.last ?? fetchOffset, highWatermark - 1];
    if (next !== null && next.first > fetchOffset) limits.push(next.first - 1);
    const last = Math.max(fetchOffset, Math.min(...limits));
    const reason = error instanceof BrokenError ? error.reason : "framing";
    return this.#inPlaceOf(
      { start, end, first: fetchOffset, last },
      { reason, why: textOf(error) },
    );
  }

  /** What the bytes there say, if they can be a batch's. */
  #headerAt(start: number): {
    readonly end: number;
    readonly first: number;
    readonly last: number;
  } | null {
    const set = this.#set;
    if (start + AT.records > set.length) return null;
    const end = start + LENGTH_END + set.readInt32BE(start + AT.length);
    const first = int64(set, start);
    const last = first + set.readInt32BE(start + AT.lastOffsetDelta);
    const isOne =
      set[start + AT.magic] === MAGIC &&
      end >= start + AT.records &&
      end <= set.length &&
      first >= 0 &&
      last >= first;
    return isOne ? { end, first, last } : null;
  }

  #inPlaceOf(
    at: { start: number; end: number; first: number; last: number },
    { reason, why }: Fault,
  ): RawRecord {
    const { topic, partition, fetchOffset } = this.#fetch;
    const { start, end, last } = at;
    const first = Math.max(at.first, fetchOffset);
    const what = `offsets ${first} to ${last} (a batch of ${end - start} bytes)`;
    return {
      topic,
      partition,
      offset: first,
      timestamp: this.#timeOf(start),
      key: null,
      // Its own bytes: a dead letter outlives the fetch.
      value: Buffer.from(this.#set.subarray(start, end)),
      headers: {},
      unreadable: {
        lastOffset: last,
        reason,
        detail: `${what} could not be read: ${why}`,
      },
    };
  }

  /** The latest time in the batch; 0 where that cannot be one. */
  #timeOf(start: number): number {
    if (start + AT.records > this.#set.length) return 0;
    const time = int64(this.#set, start + AT.maxTimestamp);
    return time > 0 && time < END_OF_TIME_MS ? time : 0;
  }

  /** One entry of the formats before record batches: a record, or compressed ones under the last one's offset. */
  async #readOldEntry(start: number, end: number): Promise<void> {
    const { topic, partition, fetchOffset } = this.#fetch;
    const lastOffset = int64(this.#set, start);
    const before = this.lastOffset ?? fetchOffset - 1;
    try {
      const entry = this.#set.subarray(start, end);
      for (const record of await decodeOldEntry(entry, { topic, partition }))
        if (record.offset > before) this.records.push(record);
    } catch (error) {
      if (!(error instanceof InflatedTooLargeError))
        throw new BrokenError("framing", textOf(error));
      const fault = {
        reason: "too_large_inflated",
        why: error.message,
      } as const;
      this.#leaveOut({ start, end, baseOffset: before + 1, lastOffset }, fault);
    }
    if (lastOffset > before) this.lastOffset = lastOffset;
    this.#budget.leftBytes -= end - start + RECORD_OVERHEAD_BYTES;
  }
}

interface Fault {
  readonly reason: UnreadableReason;
  readonly why: string;
}

/** The year 2100. */
const END_OF_TIME_MS = 4_102_444_800_000;

/** As a number: exact up to 2^53, which offsets and times do not reach. */
function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
