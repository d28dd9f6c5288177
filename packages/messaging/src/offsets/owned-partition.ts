/**
 * One partition for as long as this member owns it.
 *
 *     loading ──load──▶ reading ──lose──▶ lost
 *
 * Three positions, ascending but for the first: `position`, where the next fetch begins; `tracker.next`, below which what is
 * not open is done; `tracker.base`, the lowest open offset. After an assignment `position` starts below the base (warm-up)
 * or between base and next (what the metadata lists as open): a record there is either *restored* (open, from the metadata)
 * or done, and then only remembered. Restored offsets are open in the tracker before their records are read, so that every
 * commit meanwhile says so.
 */
import type { MonotonicMs } from "@postrider/core";
import { OffsetTracker } from "./offset-tracker.ts";
import type { FetchedBatch, TopicPartition } from "../ports.ts";
import type { RawRecord } from "../record.ts";
import type { StartPoint } from "./start-point.ts";

/** What a record that was read is. */
export type Reading = "new" | "restored" | "done";

/** Fetched, not yet taken for want of room. Its records' bytes are bounded by one fetch. */
interface Backlog {
  readonly records: readonly RawRecord[];
  at: number;
  readonly lastOffset: number;
}

/** What a partition knows of a record that is not done: `OpenRecord`, which knows the partition. */
export interface HeldRecord {
  readonly raw: Pick<RawRecord, "offset">;
  /** What it takes in memory. */
  readonly bytes: number;
}

export class OwnedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  state: "loading" | "reading" | "lost" = "loading";
  tracker = new OffsetTracker(0);
  position = 0;
  /** Below it records are read for `remember` only. */
  warmUntil = 0;
  warmUpBytes = 0;
  highWatermark = 0;
  /** Its unfinished records in memory, and their bytes; what is restored and still to be read is not among them. */
  openInMemory = 0;
  bytes = 0;
  /** Those of them that relief is deferring. */
  deferring = 0;
  deferringBytes = 0;
  backlog: Backlog | null = null;
  /** How full its window is; set by window-pressure. */
  isPressed = false;
  isFull = false;
  isPaused = true;
  /** Records whose schema is waited for. */
  waiting = 0;
  /** Since when something is done that no commit says; null when nothing is. */
  doneSince: MonotonicMs | null = null;
  /** What may be stored now: the last value known to be, and those sent since whose answer is not known. */
  stored: { readonly offset: number | null; readonly metadata: string }[] = [];
  /** The metadata's length at the last commit, and its runs then. */
  encodedChars = 0;
  encodedRuns = 0;
  /** Offsets, ascending; those before `#restoredAt` have been read. */
  #restored: number[] = [];
  #restoredAt = 0;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Begins to read at the start point. */
  load(start: StartPoint): void {
    this.tracker = new OffsetTracker(start.base);
    this.#restored = [];
    this.#restoredAt = 0;
    for (let i = 0; i < start.openRuns.length; i += 2) {
      const first = start.openRuns[i]!;
      for (let n = 0; n < start.openRuns[i + 1]!; n++) {
        this.tracker.open(first + n);
        this.#restored.push(first + n);
      }
    }
    this.tracker.advance(start.next);
    this.position = start.seekTo;
    this.warmUntil = start.base;
    this.warmUpBytes = 0;
    this.state = "reading";
  }

  lose(): void {
    this.state = "lost";
    this.backlog = null;
  }

  /** Where kafkajs goes on: after the backlog, which is in memory already. */
  get fetchPosition(): number {
    return this.backlog === null
      ? this.position
      : Math.max(this.position, this.backlog.lastOffset + 1);
  }

  /** True if the batch begins where the partition's reading stands, or overlaps it: only then may it be taken. */
  follows(batch: FetchedBatch): boolean {
    return this.backlog === null && batch.fetchOffset <= this.position;
  }

  put(batch: FetchedBatch): void {
    let at = 0;
    while (
      at < batch.records.length &&
      batch.records[at]!.offset < this.position
    )
      at++;
    this.backlog = { records: batch.records, at, lastOffset: batch.lastOffset };
    this.highWatermark = batch.highWatermark;
  }

  /** The next record of the backlog, or null when all of it is taken: the position is then after it. */
  takeNext(): RawRecord | null {
    const { backlog } = this;
    if (backlog === null) return null;
    const record = backlog.records[backlog.at];
    if (record !== undefined) {
      backlog.at++;
      return record;
    }
    this.backlog = null;
    this.position = Math.max(this.position, backlog.lastOffset + 1);
    this.#closeRestoredBelow(this.position);
    this.tracker.advance(this.position);
    return null;
  }

  /** Reading goes on at `target`, below the base: what is skipped is done, and only not remembered. */
  jumpTo(target: number): void {
    this.backlog = null;
    this.position = target;
  }

  /** Says what the record is, and moves past what the log has no longer. */
  read(offset: number): Reading {
    if (offset >= this.tracker.next) return "new";
    this.#closeRestoredBelow(offset);
    return this.#restored[this.#restoredAt] === offset ? "restored" : "done";
  }

  /** The record, read as new or restored, is open from now on. */
  open(entry: HeldRecord, reading: Reading): void {
    if (reading === "restored") this.#restoredAt++;
    else this.tracker.open(entry.raw.offset);
    this.openInMemory++;
    this.bytes += entry.bytes;
  }

  /** False if it was done already. */
  close(entry: HeldRecord): boolean {
    if (!this.tracker.close(entry.raw.offset)) return false;
    this.openInMemory--;
    this.bytes -= entry.bytes;
    return true;
  }

  /** Open records of an earlier life are still to be read: metadata cannot be under pressure from new ones. */
  get isRestoring(): boolean {
    return this.#restoredAt < this.#restored.length;
  }

  /** Records of the log, as of its last fetch, that are not done. */
  get lagRecords(): number {
    const { next, openCount } = this.tracker;
    return Math.max(0, this.highWatermark - next) + openCount;
  }

  /** The log begins at `start` now: goes on there. How many offsets that nobody had read are gone. */
  skipTo(start: number): number {
    const lost = Math.max(
      0,
      start - Math.max(this.position, this.tracker.base),
    );
    this.backlog = null;
    this.#closeRestoredBelow(start);
    this.position = start;
    this.tracker.advance(start);
    return lost;
  }

  /** The metadata's length if a commit were made now; not less, about. */
  metadataChars(): number {
    // A new run costs at most a few bytes beside those that were counted.
    const grown = Math.max(0, this.tracker.runCount - this.encodedRuns);
    return this.encodedChars + grown * 4;
  }

  /** Restored records that the log no longer has are done: nobody will ever read them. */
  #closeRestoredBelow(offset: number): void {
    for (;;) {
      const restored = this.#restored[this.#restoredAt];
      if (restored === undefined) {
        this.#restored = [];
        this.#restoredAt = 0;
        return;
      }
      if (restored >= offset) return;
      this.tracker.close(restored);
      this.#restoredAt++;
    }
  }
}
