/**
 * Decides which offsets of a batch are believed. A batch's checksum does not cover its first offset, nor does that of an entry
 * in the formats before Kafka 0.11. A wrong first offset would give records the offsets of others, or move the position past
 * records that were never read. So the offsets are compared with everything that is known of the log: the fetch offset, the
 * batches before and behind, and the log's end.
 *
 * Invariant: all offsets from the fetch offset to `lastOffset` are accounted for, in order.
 */
import { claimAt, type BatchClaim } from "./batch-header.ts";
import { BrokenBatchError } from "./broken-batch-error.ts";
import type { PartitionFetch } from "./fetched-records.ts";

export class OffsetClaims {
  /** The last offset of the last batch that was read; null before the first. The decoder sets it. */
  lastOffset: number | null = null;
  /** Whether the first batch begins above the fetch offset, and there is no batch behind it to compare with. */
  isDoubtful = false;
  readonly #set: Buffer;
  readonly #fetch: PartitionFetch;
  /** Where the last batch begins that lay below the fetch offset; null if none did. */
  #passedAt: number | null = null;

  constructor(set: Buffer, fetch: PartitionFetch) {
    this.#set = set;
    this.#fetch = fetch;
  }

  /** The lowest offset that the next batch may hold. */
  get next(): number {
    return this.lastOffset === null
      ? this.#fetch.fetchOffset
      : this.lastOffset + 1;
  }

  /** Whether to read the batch, whose checksum is right; otherwise it is passed over. Throws a `BrokenBatchError` if its offsets cannot be right. */
  isForUs(claim: BatchClaim): boolean {
    if (this.#isBelow(claim)) return false;
    this.#checkRange(claim);
    if (claim.first > this.next) this.#checkGap(claim);
    return true;
  }

  /** The same for an entry of the old formats, which has one offset: its own, or that of the last record in it. */
  isEntryForUs(start: number, end: number, offset: number): boolean {
    const claim = { start, end, first: offset, last: offset };
    if (this.#isBelow(claim)) return false;
    this.#checkRange(claim);
    return true;
  }

  /** Call it when everything was read. Throws a `BrokenBatchError` if every batch lay below the fetch offset. */
  ended(): void {
    if (this.lastOffset === null && this.#passedAt !== null)
      throw new BrokenBatchError(
        "framing",
        `it claims to end below ${this.next}, and nothing follows`,
        this.#passedAt,
      );
  }

  /** A broker may begin its answer with batches that end below the fetch offset. */
  #isBelow({ start, first, last }: BatchClaim): boolean {
    const isBelow =
      this.lastOffset === null &&
      first >= 0 &&
      first <= last &&
      last < this.next;
    if (isBelow) this.#passedAt = start;
    return isBelow;
  }

  #checkRange({ first, last }: BatchClaim): void {
    const { next } = this;
    const { highWatermark } = this.#fetch;
    const isAfter = this.lastOffset === null || first >= next;
    if (first < 0 || last < first || last < next || !isAfter)
      throw broken(first, last, `${next} is next`);
    // The broker may have noted the log's end a moment before it read the batch. Then the next fetch shows a later end.
    if (last >= highWatermark)
      throw broken(first, last, `the log ends before ${highWatermark}`);
  }

  /** Compaction leaves gaps, but a wrong first offset looks the same. */
  #checkGap({ end, first, last }: BatchClaim): void {
    const { next } = this;
    if (this.lastOffset === null && this.#passedAt !== null)
      throw new BrokenBatchError(
        "framing",
        `it claims to end below ${next}, and ${first} follows`,
        this.#passedAt,
      );
    const behind = claimAt(this.#set, end);
    if (behind !== null && behind.first > last) return;
    if (behind !== null)
      throw broken(first, last, `${next} is next and ${behind.first} follows`);
    // Here is no batch behind to compare with. The next fetch may have one.
    if (this.lastOffset !== null) throw broken(first, last, `${next} is next`);
    this.isDoubtful = true;
  }
}

function broken(first: number, last: number, where: string): BrokenBatchError {
  return new BrokenBatchError(
    "framing",
    `it claims offsets ${first} to ${last} where ${where}`,
  );
}
