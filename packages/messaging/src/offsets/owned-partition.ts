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
 *
 * Others read its fields and change them by its methods only.
 */
import type {
  CommittedOffset,
  FetchedBatch,
  TopicPartition,
} from "../ports.ts";
import { OffsetTracker } from "./offset-tracker.ts";
import { PartitionCommits } from "./partition-commits.ts";
import { lastOffsetOf, type RawRecord } from "../record.ts";
import type { StartPoint } from "./start-point.ts";
import { WarmUpPace } from "./warm-up-pace.ts";

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
  readonly raw: Pick<RawRecord, "offset" | "unreadable">;
  /** What it takes in memory. */
  readonly bytes: number;
}

/** Which of its offsets are done. Only the partition opens and closes them. */
export type OffsetsView = Pick<
  OffsetTracker,
  "next" | "base" | "openCount" | "runCount" | "isOpen" | "runs"
>;

export class OwnedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly commits = new PartitionCommits();
  #state: "loading" | "reading" | "lost" = "loading";
  #tracker = new OffsetTracker(0);
  #position = 0;
  #warmUp = new WarmUpPace(0, 0);
  #highWatermark = 0;
  #openInMemory = 0;
  #bytes = 0;
  #deferring = 0;
  #deferringBytes = 0;
  #backlog: Backlog | null = null;
  #isPressed = false;
  #isFull = false;
  #isPaused = true;
  #waiting = 0;
  /**
   * Stands for a range of offsets, of which the tracker knows the first alone. Nothing behind it is read while it is open:
   * a commit would call the others done.
   */
  #range: HeldRecord | null = null;
  /** Offsets, ascending; those before `#restoredAt` have been read. */
  #restored: number[] = [];
  #restoredAt = 0;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  get state(): "loading" | "reading" | "lost" {
    return this.#state;
  }

  get tracker(): OffsetsView {
    return this.#tracker;
  }

  get position(): number {
    return this.#position;
  }

  /** What is read for `remember` only. */
  get warmUp(): WarmUpPace {
    return this.#warmUp;
  }

  /** Its unfinished records in memory; what is restored and still to be read is not among them. */
  get openInMemory(): number {
    return this.#openInMemory;
  }

  /** The bytes of those. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Those of them that relief is deferring. */
  get deferring(): number {
    return this.#deferring;
  }

  get deferringBytes(): number {
    return this.#deferringBytes;
  }

  /** The last offset of what is fetched and not yet taken; null when all is taken. */
  get backlogEnd(): number | null {
    return this.#backlog === null ? null : this.#backlog.lastOffset;
  }

  /** How full its window is; see window-pressure. */
  get isPressed(): boolean {
    return this.#isPressed;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Its fetching is paused. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Records whose schema is waited for. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Begins to read at the start point, which was made of what is stored. */
  load(start: StartPoint, stored: CommittedOffset): void {
    const tracker = new OffsetTracker(start.base);
    this.#tracker = tracker;
    this.#restored = [];
    this.#restoredAt = 0;
    for (let i = 0; i < start.openRuns.length; i += 2) {
      const first = start.openRuns[i]!;
      for (let n = 0; n < start.openRuns[i + 1]!; n++) {
        tracker.open(first + n);
        this.#restored.push(first + n);
      }
    }
    tracker.advance(start.next);
    this.commits.found(stored, tracker.runCount);
    this.#position = start.seekTo;
    this.#warmUp = new WarmUpPace(start.seekTo, start.base);
    this.#state = "reading";
  }

  lose(): void {
    this.#state = "lost";
    this.#backlog = null;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** How full the window is now. */
  notePressure(isPressed: boolean, isFull: boolean): void {
    this.#isPressed = isPressed;
    this.#isFull = isFull;
  }

  /** One more of its records waits for a schema. */
  beginWaiting(): void {
    this.#waiting++;
  }

  endWaiting(): void {
    this.#waiting--;
  }

  /** Relief has taken the record from its queue. */
  beginDeferring({ bytes }: HeldRecord): void {
    this.#deferring++;
    this.#deferringBytes += bytes;
  }

  /** However the deferral ended. */
  endDeferring({ bytes }: HeldRecord): void {
    this.#deferring--;
    this.#deferringBytes -= bytes;
  }

  /** Where kafkajs goes on: after the backlog, which is in memory already. */
  get fetchPosition(): number {
    return this.#backlog === null
      ? this.#position
      : Math.max(this.#position, this.#backlog.lastOffset + 1);
  }

  /** True if the batch begins where the partition's reading stands, or overlaps it: only then may it be taken. */
  follows(batch: FetchedBatch): boolean {
    return this.#backlog === null && batch.fetchOffset <= this.#position;
  }

  put(batch: FetchedBatch): void {
    const { records, lastOffset } = batch;
    let at = 0;
    while (at < records.length && lastOffsetOf(records[at]!) < this.#position)
      at++;
    this.#backlog = { records, at, lastOffset };
    this.#highWatermark = batch.highWatermark;
  }

  /** What was fetched and not taken is forgotten. */
  dropBacklog(): void {
    this.#backlog = null;
  }

  /** The next record of the backlog, or null when all of it is taken: the position is then after it. */
  takeNext(): RawRecord | null {
    const backlog = this.#backlog;
    if (backlog === null) return null;
    const record = backlog.records[backlog.at];
    if (record !== undefined) {
      backlog.at++;
      return record;
    }
    this.#backlog = null;
    this.#position = Math.max(this.#position, backlog.lastOffset + 1);
    this.#closeRestoredBelow(this.#position);
    this.#tracker.advance(this.#position);
    return null;
  }

  /** Reading goes on at `target`, below the base: what is skipped is done, and only not remembered. */
  jumpTo(target: number): void {
    this.#backlog = null;
    this.#position = target;
    this.#warmUp.jumped(target);
  }

  /** Says what the record is, and moves past what the log has no longer. */
  read(offset: number): Reading {
    if (offset >= this.#tracker.next) return "new";
    this.#closeRestoredBelow(offset);
    return this.#restored[this.#restoredAt] === offset ? "restored" : "done";
  }

  /** The first offset of a range that has to be handled; null if all of them are done. */
  firstNotDone(first: number, last: number): number | null {
    for (let i = this.#restoredAt; i < this.#restored.length; i++) {
      const restored = this.#restored[i]!;
      if (restored > last) break;
      if (restored >= first) return restored;
    }
    return last < this.#tracker.next
      ? null
      : Math.max(first, this.#tracker.next);
  }

  /** The record, read as new or restored, is open from now on. */
  open(entry: HeldRecord, reading: Reading): void {
    if (reading === "restored") this.#restoredAt++;
    else this.#tracker.open(entry.raw.offset);
    const { offset, unreadable } = entry.raw;
    if (unreadable !== undefined && unreadable.lastOffset > offset)
      this.#range = entry;
    this.#openInMemory++;
    this.#bytes += entry.bytes;
  }

  /** False if it was done already. */
  close(entry: HeldRecord): boolean {
    if (!this.#tracker.close(entry.raw.offset)) return false;
    if (this.#range === entry) this.#range = null;
    this.#openInMemory--;
    this.#bytes -= entry.bytes;
    return true;
  }

  /** A range of offsets is open: what is behind it waits. */
  get isBehindRange(): boolean {
    return this.#range !== null;
  }

  /** Open records of an earlier life are still to be read: metadata cannot be under pressure from new ones. */
  get isRestoring(): boolean {
    return this.#restoredAt < this.#restored.length;
  }

  /** Records of the log, as of its last fetch, that are not done. */
  get lagRecords(): number {
    const { next, openCount } = this.#tracker;
    return Math.max(0, this.#highWatermark - next) + openCount;
  }

  /** The log begins at `start` now: goes on there. How many offsets that nobody had read are gone. */
  skipTo(start: number): number {
    const read = Math.max(this.#position, this.#tracker.base);
    this.#backlog = null;
    this.#closeRestoredBelow(start);
    this.#position = start;
    this.#tracker.advance(start);
    return Math.max(0, start - read);
  }

  /** The metadata's length if a commit were made now; not less, about. */
  metadataChars(): number {
    return this.commits.metadataChars(this.#tracker.runCount);
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
      this.#tracker.close(restored);
      this.#restoredAt++;
    }
  }
}
