/**
 * Decodes what a broker sent of one partition into records: batch after batch, in order, from the fetch offset on.
 *
 * It never throws, and its memory and time are bounded by its limits, whatever the bytes are. There are two kinds of faults:
 *
 * - A batch that can never be taken (for example too many records, or an unknown codec) becomes one record with `unreadable` set
 *   (`RawRecord.unreadable`), and reading goes on behind it.
 * - A batch that another fetch may bring whole (a wrong checksum, broken framing), or for which memory may be there the next
 *   time (bytes that do not inflate), ends the reading before it. The next fetch then begins with the batch; reread.ts limits
 *   how often. If it is the first batch, `broken` is the record that takes its place when it is given up.
 *
 * Source of the format: Kafka's protocol guide, Record Batch.
 */
import type { RawRecord } from "../../record.ts";
import { AbortedRecords } from "./aborted-records.ts";
import {
  AT,
  CONTROL,
  endAt,
  int64,
  isChecksumRight,
  LOG_APPEND_TIME,
  MAGIC,
  type BatchClaim,
} from "./batch-header.ts";
import { BrokenBatchError } from "./broken-batch-error.ts";
import {
  inflatedLimit,
  MAX_RECORDS,
  RECORD_OVERHEAD_BYTES,
  type FetchBudget,
  type FetchedRecords,
  type PartitionFetch,
} from "./fetched-records.ts";
import { codecOf, inflate, InflatedTooLargeError } from "./inflate.ts";
import { OffsetClaims } from "./offset-claims.ts";
import { decodeOldEntry } from "./old-entry.ts";
import { BatchFramingError, decodeRecords } from "./record-decoder.ts";
import {
  brokenRange,
  unreadableBatch,
  type Fault,
} from "./unreadable-batch.ts";

/** Decodes `set`, the partition's record set as the broker sent it. */
export function decodeBatches(
  set: Buffer,
  fetch: PartitionFetch,
  budget: FetchBudget,
): Promise<FetchedRecords> {
  return new BatchReader(set, fetch, budget).readAll();
}

class BatchReader {
  readonly #records: RawRecord[] = [];
  readonly #unreadable: RawRecord[] = [];
  readonly #set: Buffer;
  readonly #fetch: PartitionFetch;
  readonly #budget: FetchBudget;
  readonly #aborted: AbortedRecords;
  readonly #claims: OffsetClaims;

  constructor(set: Buffer, fetch: PartitionFetch, budget: FetchBudget) {
    this.#set = set;
    this.#fetch = fetch;
    this.#budget = budget;
    this.#aborted = new AbortedRecords(fetch.aborted);
    this.#claims = new OffsetClaims(set, fetch);
  }

  async readAll(): Promise<FetchedRecords> {
    let broken: RawRecord | null = null;
    let at = 0;
    try {
      while (at < this.#set.length && this.#budget.leftBytes > 0)
        at = await this.#readAt(at);
      if (at === this.#set.length) this.#claims.ended();
    } catch (error) {
      // The last batch that a broker sends is often cut; the next fetch begins with it. So only a fault in the first batch counts.
      if (this.#claims.lastOffset === null) broken = this.#brokenAt(at, error);
    }
    const { lastOffset, isDoubtful } = this.#claims;
    return {
      records: this.#records,
      unreadable: this.#unreadable,
      lastOffset,
      broken,
      isDoubtful,
    };
  }

  /** The record that takes the place of a broken batch when it is given up. The batch may be whole at the next fetch. */
  #brokenAt(at: number, error: unknown): RawRecord {
    const known = error instanceof BrokenBatchError ? error : null;
    const range = brokenRange(this.#set, known?.at ?? at, this.#fetch);
    const fault = { reason: known?.reason ?? "framing", why: textOf(error) };
    return unreadableBatch(this.#set, this.#fetch, range, fault);
  }

  /** Reads the batch that begins at `at`. Returns where the next one begins. */
  async #readAt(at: number): Promise<number> {
    const set = this.#set;
    const end = endAt(set, at);
    if (end === null)
      throw new BrokenBatchError("framing", "it ends outside of what was sent");
    const magic = set[at + AT.magic]!;
    if (magic < MAGIC) await this.#readOldEntry(at, end);
    else if (magic > MAGIC)
      throw new BrokenBatchError("framing", `its format is ${magic}`);
    else await this.#readBatch(this.#checked(at, end));
    return end;
  }

  #checked(start: number, end: number): BatchClaim {
    const set = this.#set;
    if (end < start + AT.records)
      throw new BrokenBatchError("framing", "it is shorter than its header");
    if (!isChecksumRight(set, start, end))
      throw new BrokenBatchError("checksum", "its checksum (CRC-32C) is wrong");
    const first = int64(set, start);
    const last = first + set.readInt32BE(start + AT.lastOffsetDelta);
    return { start, end, first, last };
  }

  async #readBatch(batch: BatchClaim): Promise<void> {
    if (!this.#claims.isForUs(batch)) return;
    const { start, last } = batch;
    const attributes = this.#set.readInt16BE(start + AT.attributes);
    const isAborted = this.#aborted.holds(this.#set, start, last);
    if (!isAborted && (attributes & CONTROL) === 0)
      await this.#take(batch, attributes);
    this.#claims.lastOffset = last;
  }

  async #take(batch: BatchClaim, attributes: number): Promise<void> {
    const set = this.#set;
    const { start, end, first, last } = batch;
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
        throw new BrokenBatchError("compression", `${codec}: ${textOf(error)}`);
      return this.#leaveOut(batch, {
        reason: "too_large_inflated",
        why: `its ${packed.length} bytes of ${codec} inflate to more than ${limit}`,
      });
    }
    const isAppendTime = (attributes & LOG_APPEND_TIME) !== 0;
    const before = this.#records.length;
    try {
      decodeRecords(
        {
          topic,
          partition,
          fetchOffset,
          baseOffset: first,
          lastOffset: last,
          count,
          baseTimestamp: int64(set, start + AT.baseTimestamp),
          appendTimestamp: isAppendTime
            ? int64(set, start + AT.maxTimestamp)
            : null,
          bytes,
          isInflated: codec !== "none",
        },
        this.#records,
      );
    } catch (error) {
      this.#records.length = before;
      if (!(error instanceof BatchFramingError)) throw error;
      return this.#leaveOut(batch, { reason: "framing", why: error.message });
    }
    for (let i = before; i < this.#records.length; i++) {
      const record = this.#records[i]!;
      if (record.unreadable !== undefined) this.#unreadable.push(record);
    }
    this.#budget.leftBytes -=
      bytes.length + (this.#records.length - before) * RECORD_OVERHEAD_BYTES;
  }

  /** The checksum is right, so it is as the producer sent it, and to fetch it again would change nothing. */
  #leaveOut(batch: BatchClaim, fault: Fault): void {
    const { start, end } = batch;
    const record = unreadableBatch(this.#set, this.#fetch, batch, fault);
    this.#records.push(record);
    this.#unreadable.push(record);
    this.#budget.leftBytes -= end - start;
  }

  /** Reads one entry in a format from before record batches: one record, or several compressed ones under the offset of the last. */
  async #readOldEntry(start: number, end: number): Promise<void> {
    const { topic, partition } = this.#fetch;
    const last = int64(this.#set, start);
    if (!this.#claims.isEntryForUs(start, end, last)) return;
    const first = this.#claims.next;
    const count = this.#records.length;
    let previous = first - 1;
    try {
      const entry = this.#set.subarray(start, end);
      for (const record of await decodeOldEntry(entry, { topic, partition })) {
        if (record.offset < first) continue;
        if (record.offset <= previous || record.offset > last)
          throw new Error(`it holds offset ${record.offset} after ${previous}`);
        previous = record.offset;
        this.#records.push(record);
        this.#budget.leftBytes -= bytesOf(record);
      }
    } catch (error) {
      this.#records.length = count;
      if (!(error instanceof InflatedTooLargeError))
        throw new BrokenBatchError("framing", textOf(error));
      const fault = {
        reason: "too_large_inflated",
        why: error.message,
      } as const;
      this.#leaveOut({ start, end, first, last }, fault);
    }
    this.#claims.lastOffset = last;
  }
}

function bytesOf({ key, value }: RawRecord): number {
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
