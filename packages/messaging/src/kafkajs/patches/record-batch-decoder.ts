/**
 * Decodes what a broker sent of one partition into records: batch after batch, in order, from the fetch offset on.
 *
 * It never throws, and its memory and time are bounded by its limits, whatever the bytes are. There are two kinds of faults:
 *
 * - A batch that can never be taken (for example too many records, or an unknown codec) becomes one record with `unreadable` set
 *   (`RawRecord.unreadable`), and reading goes on behind it.
 * - A fault that may come from this one transfer (a wrong checksum, broken framing, bytes that do not inflate) ends the reading
 *   before that batch. The next fetch then begins with the batch; reread.ts limits how often. If it is the first batch, `broken`
 *   is the record that takes its place when it is given up.
 *
 * Source of the format: Kafka's protocol guide, Record Batch.
 */
import type { RawRecord, UnreadableReason } from "../../record.ts";
import { AbortedRecords } from "./aborted-records.ts";
import {
  AT,
  claimAt,
  CONTROL,
  endAt,
  int64,
  isChecksumRight,
  LOG_APPEND_TIME,
  MAGIC,
  type BatchClaim,
} from "./batch-header.ts";
import {
  inflatedLimit,
  MAX_RECORDS,
  RECORD_OVERHEAD_BYTES,
  type FetchBudget,
  type FetchedRecords,
  type PartitionFetch,
} from "./fetched-records.ts";
import { codecOf, inflate, InflatedTooLargeError } from "./inflate.ts";
import { decodeOldEntry } from "./old-entry.ts";
import { BatchFramingError, decodeRecords } from "./record-decoder.ts";
import {
  brokenRange,
  unreadableBatch,
  type Fault,
} from "./unreadable-batch.ts";

/** Decodes `set`, the partition's record set as the broker sent it. */
export async function decodeBatches(
  set: Buffer,
  fetch: PartitionFetch,
  budget: FetchBudget,
): Promise<FetchedRecords> {
  const reader = new BatchReader(set, fetch, budget);
  await reader.readAll();
  return reader;
}

/** A batch that is complete and whose checksum is right. */
interface Batch {
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

/** A fault that ends the reading before its batch. */
class BrokenError extends Error {
  readonly code = "BATCH_BROKEN";
  readonly reason: UnreadableReason;
  /** Where the batch begins, if it is not the one that was being read. */
  readonly at: number | null;

  constructor(
    reason: UnreadableReason,
    message: string,
    at: number | null = null,
  ) {
    super(message);
    this.reason = reason;
    this.at = at;
  }
}

class BatchReader implements FetchedRecords {
  readonly records: RawRecord[] = [];
  readonly unreadable: RawRecord[] = [];
  lastOffset: number | null = null;
  broken: RawRecord | null = null;
  isDoubtful = false;
  /** Where the last batch begins that lay below the fetch offset; null if none did. */
  #passedAt: number | null = null;
  readonly #set: Buffer;
  readonly #fetch: PartitionFetch;
  readonly #budget: FetchBudget;
  readonly #aborted: AbortedRecords;

  constructor(set: Buffer, fetch: PartitionFetch, budget: FetchBudget) {
    this.#set = set;
    this.#fetch = fetch;
    this.#budget = budget;
    this.#aborted = new AbortedRecords(fetch.aborted);
  }

  async readAll(): Promise<void> {
    for (let at = 0; at < this.#set.length;) {
      if (this.#budget.leftBytes <= 0) return;
      try {
        at = await this.#readAt(at);
      } catch (error) {
        // The last batch that a broker sends is often cut; the next fetch begins with it. So only a fault in the first batch counts.
        if (this.lastOffset === null) this.broken = this.#brokenAt(at, error);
        return;
      }
    }
    if (this.lastOffset === null && this.#passedAt !== null) {
      const why = "it claims to end below what was asked for, and none follows";
      this.broken = this.#brokenAt(
        this.#passedAt,
        new BrokenError("framing", why),
      );
    }
  }

  /** The record that takes the place of a broken batch when it is given up. The batch may be whole at the next fetch. */
  #brokenAt(at: number, error: unknown): RawRecord {
    const known = error instanceof BrokenError ? error : null;
    const range = brokenRange(this.#set, known?.at ?? at, this.#fetch);
    const fault = { reason: known?.reason ?? "framing", why: textOf(error) };
    return unreadableBatch(this.#set, this.#fetch, range, fault);
  }

  /** Reads the batch that begins at `at`. Returns where the next one begins. */
  async #readAt(at: number): Promise<number> {
    const set = this.#set;
    const end = endAt(set, at);
    if (end === null)
      throw new BrokenError("framing", "it ends outside of what was sent");
    const magic = set[at + AT.magic]!;
    if (magic < MAGIC) await this.#readOldEntry(at, end);
    else if (magic > MAGIC)
      throw new BrokenError("framing", `its format is ${magic}`);
    else {
      const batch = this.#checked(at, end);
      if (this.#isBelow(batch)) this.#passedAt = at;
      else await this.#readBatch(batch);
    }
    return end;
  }

  #checked(start: number, end: number): Batch {
    const set = this.#set;
    if (end < start + AT.records)
      throw new BrokenError("framing", "it is shorter than its header");
    if (!isChecksumRight(set, start, end))
      throw new BrokenError("checksum", "its checksum (CRC-32C) is wrong");
    const first = int64(set, start);
    const last = first + set.readInt32BE(start + AT.lastOffsetDelta);
    const batch = { start, end, baseOffset: first, lastOffset: last };
    if (!this.#isBelow(batch)) this.#checkOffsets({ start, end, first, last });
    return batch;
  }

  /** Whether the batch lies below the fetch offset: a broker may begin with batches that end before it. */
  #isBelow({ baseOffset, lastOffset }: Batch): boolean {
    return (
      this.lastOffset === null &&
      baseOffset >= 0 &&
      baseOffset <= lastOffset &&
      lastOffset < this.#fetch.fetchOffset
    );
  }

  /** Compares the batch's offsets with everything that is known of the log, because the checksum does not cover the first offset. */
  #checkOffsets({ end, first, last }: BatchClaim): void {
    const { fetchOffset, highWatermark } = this.#fetch;
    const next = (this.lastOffset ?? fetchOffset - 1) + 1;
    const claim = `it claims offsets ${first} to ${last}`;
    const isAfter = this.lastOffset === null || first >= next;
    if (first < 0 || last < first || last < next || !isAfter)
      throw new BrokenError("framing", `${claim} where ${next} is next`);
    // The broker may have noted the log's end a moment before it read the batch. Then the next fetch shows a later end.
    if (last >= highWatermark)
      throw new BrokenError(
        "framing",
        `${claim} of a log that ends at ${highWatermark}`,
      );
    if (first <= next) return;
    if (this.lastOffset === null && this.#passedAt !== null)
      throw new BrokenError(
        "framing",
        `it claims to end below ${next}, and ${first} follows`,
        this.#passedAt,
      );
    const behind = claimAt(this.#set, end);
    if (behind !== null && behind.first <= last)
      throw new BrokenError(
        "framing",
        `${claim} where ${next} is next and ${behind.first} follows`,
      );
    if (behind !== null) return;
    // There is a gap. Compaction leaves gaps, but a wrong first offset looks the same, and here is no batch behind to compare with. The next fetch may have one.
    if (this.lastOffset !== null)
      throw new BrokenError("framing", `${claim} where ${next} is next`);
    this.isDoubtful = true;
  }

  async #readBatch(batch: Batch): Promise<void> {
    const attributes = this.#set.readInt16BE(batch.start + AT.attributes);
    const { start, lastOffset } = batch;
    const isAborted = this.#aborted.holds(this.#set, start, lastOffset);
    if (!isAborted && (attributes & CONTROL) === 0)
      await this.#take(batch, attributes);
    this.lastOffset = lastOffset;
  }

  async #take(batch: Batch, attributes: number): Promise<void> {
    const set = this.#set;
    const { start, end, baseOffset, lastOffset } = batch;
    const { topic, partition, fetchOffset } = this.#fetch;
    const count = set.readInt32BE(start + AT.count);
    const codec = codecOf(attributes & 7);
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
    // Compaction may remove every record of a batch and leave only its header.
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

  /** Puts one unreadable record in the place of the batch. The checksum is right, so the batch is as its producer sent it, and fetching it again would change nothing. */
  #leaveOut(batch: Batch, fault: Fault): void {
    const { start, end, baseOffset: first, lastOffset: last } = batch;
    const range = { start, end, first, last };
    const record = unreadableBatch(this.#set, this.#fetch, range, fault);
    this.records.push(record);
    this.unreadable.push(record);
    this.#budget.leftBytes -= end - start;
  }

  /** Reads one entry in a format from before record batches: one record, or several compressed ones under the offset of the last. */
  async #readOldEntry(start: number, end: number): Promise<void> {
    const { topic, partition, fetchOffset, highWatermark } = this.#fetch;
    const lastOffset = int64(this.#set, start);
    const before = this.lastOffset ?? fetchOffset - 1;
    if (this.lastOffset === null && lastOffset >= 0 && lastOffset <= before) {
      this.#passedAt = start;
      return;
    }
    // Like a batch's first offset, the offset of an entry is not covered by the checksum.
    if (lastOffset <= before || lastOffset >= highWatermark)
      throw new BrokenError(
        "framing",
        `it claims offset ${lastOffset} where ${before + 1} is next, of a log that ends at ${highWatermark}`,
      );
    const count = this.records.length;
    let previous = before;
    try {
      const entry = this.#set.subarray(start, end);
      for (const record of await decodeOldEntry(entry, { topic, partition })) {
        if (record.offset <= before) continue;
        if (record.offset <= previous || record.offset > lastOffset)
          throw new Error(`it holds offset ${record.offset} after ${previous}`);
        previous = record.offset;
        this.records.push(record);
        this.#budget.leftBytes -= bytesOf(record);
      }
    } catch (error) {
      this.records.length = count;
      if (!(error instanceof InflatedTooLargeError))
        throw new BrokenError("framing", textOf(error));
      const fault = {
        reason: "too_large_inflated",
        why: error.message,
      } as const;
      this.#leaveOut({ start, end, baseOffset: before + 1, lastOffset }, fault);
    }
    this.lastOffset = lastOffset;
  }
}

function bytesOf({ key, value }: RawRecord): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
