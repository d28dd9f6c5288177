/**
 * The state of one partition while this member owns it.
 *
 *     loading ──load──▶ reading ──lose──▶ lost
 *
 * Three offsets matter:
 *
 * - `tracker.base`: the lowest open offset. Everything below it is done.
 * - `tracker.next`: at or above `base`. Below it every offset that is not open is done.
 * - `position`: where reading goes on. Normally it is `next`. After an assignment it starts below `base` (the warm-up), and
 *   reading then passes from `base` to `next` again.
 *
 * Below `next` a record is either *restored* (the stored metadata lists it as open: it is handled) or done (it is only
 * remembered). Restored offsets are open in the tracker before their records are read, so that every commit made meanwhile
 * lists them as open.
 *
 * Other files change this state by its methods only.
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

/** What a record is when it is read: never seen before, restored from the metadata, or done. */
export type Reading = "new" | "restored" | "done";

/** Records that were fetched and not taken yet, because the window is full. Their bytes are bounded by one fetch. */
interface Backlog {
  readonly records: readonly RawRecord[];
  at: number;
  readonly lastOffset: number;
}

/** The part of an `OpenRecord` that a partition uses. (`OpenRecord` imports this file, so this file cannot import it.) */
export interface HeldRecord {
  readonly raw: Pick<RawRecord, "offset" | "unreadable">;
  /** The memory that it takes, about. */
  readonly bytes: number;
}

/** A read-only view of which offsets are done. Only the partition opens and closes offsets. */
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
   * The open record that stands for a range of offsets (a batch that cannot be read), if there is one. The tracker knows only
   * its first offset. No record behind it is read while it is open: otherwise a commit would count the range's other offsets as
   * done.
   */
  #range: HeldRecord | null = null;
  /** The restored offsets, ascending. Those before index `#restoredAt` have been read. */
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

  /** Records below `warmUp.until` are read for `remember` only. */
  get warmUp(): WarmUpPace {
    return this.#warmUp;
  }

  /** Unfinished records in memory. Restored offsets whose records are still to be read do not count. */
  get openInMemory(): number {
    return this.#openInMemory;
  }

  /** The bytes of the records in `openInMemory`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many of the records in `openInMemory` relief is deferring. */
  get deferring(): number {
    return this.#deferring;
  }

  get deferringBytes(): number {
    return this.#deferringBytes;
  }

  /** The last offset of the backlog; null when everything that was fetched is taken. */
  get backlogEnd(): number | null {
    return this.#backlog === null ? null : this.#backlog.lastOffset;
  }

  /** The window is under pressure: relief is wanted (window-pressure). */
  get isPressed(): boolean {
    return this.#isPressed;
  }

  /** The window is full: no record is taken, and fetching pauses. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Fetching is paused. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Records that wait for their schema. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Begins to read at `start`, which was computed from the stored offset and metadata. */
  load(start: StartPoint, stored: CommittedOffset): void {
    // What is in flight of it would close offsets that are another's now.
    if (this.#state === "lost")
      throw new Error(`${this.topic}:${this.partition} was lost`);
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

  notePressure(isPressed: boolean, isFull: boolean): void {
    this.#isPressed = isPressed;
    this.#isFull = isFull;
  }

  /** One more record waits for its schema. */
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

  /** Call when the deferral ended, with success or not. */
  endDeferring({ bytes }: HeldRecord): void {
    this.#deferring--;
    this.#deferringBytes -= bytes;
  }

  /** Where fetching goes on: after the backlog, which is in memory already. */
  get fetchPosition(): number {
    return this.#backlog === null
      ? this.#position
      : Math.max(this.#position, this.#backlog.lastOffset + 1);
  }

  /** Whether the batch may be taken: there is no backlog, and the batch begins at or below `position`, so that no offset is skipped. */
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

  /** Forgets records that were fetched and not taken. */
  dropBacklog(): void {
    this.#backlog = null;
  }

  /** The next record of the backlog. Null when all are taken; `position` is then one past the backlog. */
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

  /** Skips a part of the warm-up, or goes back in it: reading goes on at `target`, at or below the base. The skipped records are done; they are only not remembered. */
  jumpTo(target: number): void {
    this.#backlog = null;
    this.#position = target;
    this.#warmUp.jumped(target);
  }

  /** What the record at this offset is. Also closes restored offsets below it: the log has skipped them, so they no longer exist. */
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

  /** Opens a record that `read` has called new or restored. */
  open(entry: HeldRecord, reading: Reading): void {
    if (reading === "restored") this.#restoredAt++;
    else this.#tracker.open(entry.raw.offset);
    const { offset, unreadable } = entry.raw;
    if (unreadable !== undefined && unreadable.lastOffset > offset)
      this.#range = entry;
    this.#openInMemory++;
    this.#bytes += entry.bytes;
  }

  /** Marks the record as done. False if it was done already. */
  close(entry: HeldRecord): boolean {
    if (!this.#tracker.close(entry.raw.offset)) return false;
    if (this.#range === entry) this.#range = null;
    this.#openInMemory--;
    this.#bytes -= entry.bytes;
    return true;
  }

  /** A range of offsets is open: records behind it wait. */
  get isBehindRange(): boolean {
    return this.#range !== null;
  }

  /** Restored records are still to be read. Until they are, the length of the metadata must not stop reading: it could never shrink. */
  get isRestoring(): boolean {
    return this.#restoredAt < this.#restored.length;
  }

  /** Records that are not done, up to the end of the log at the last fetch. */
  get lagRecords(): number {
    const { next, openCount } = this.#tracker;
    return Math.max(0, this.#highWatermark - next) + openCount;
  }

  /** Goes on at `start`, where the log begins now. Returns how many offsets were deleted before they were read. */
  skipTo(start: number): number {
    const read = Math.max(this.#position, this.#tracker.base);
    this.#backlog = null;
    this.#closeRestoredBelow(start);
    this.#position = start;
    this.#tracker.advance(start);
    return Math.max(0, start - read);
  }

  /** About how long the metadata of a commit made now would be, in characters; rather too long than too short. */
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
