/**
 * Remembers which (deliveryId, step) of each partition were taken, so that a repeated record does not start a second retry
 * chain.
 *
 * A record gets a twin (a second copy with the same deliveryId and step) when a process dies after it has written the record
 * and before it has committed: the next owner of the input partition writes the record again. So twins lie apart in the log
 * by as long as such a takeover lasts (`twinDistanceMs`), with any number of records between them.
 *
 * Invariants:
 * - Records are taken in the order of the log, each once while this process owns the partition. They are taken when they
 *   are read, not when they are handled: one lane may be handled an hour later than the others.
 * - A record is a repeat only of a record with a *lower* offset in its partition. So a record that is read again after a
 *   crash is never a repeat of itself, nor of its later twin that was dropped before the crash.
 * - A step is remembered until records are read that were written at least `rememberMs` later, and at most half as long
 *   again. Time is measured by the records' timestamps, so this also holds when a partition is read late, or faster than it
 *   was written. The last 10,000 steps are always remembered, however old.
 * - Exception: if all steps together would need more than `maxBytes`, the oldest are forgotten, even before their time.
 *   `forgottenEarly` reports those that were forgotten before their time.
 *
 * Each partition's steps are kept in tables. A table covers a quarter of `rememberMs` and at least 2,500 steps; steps are
 * forgotten one table at a time. A step takes 21 to 43 bytes, so 64 MiB are enough for about 12,000 records a second with
 * the default session timeout.
 */
import { ByPartition, type TopicPartition } from "@postrider/messaging";
import { stepKey, writeStepKey } from "./step-key.ts";
import { StepTable } from "./step-table.ts";

export interface TakenRecord extends TopicPartition {
  readonly offset: number;
  readonly timestamp: number;
}

export interface TakenStepsOptions {
  readonly rememberMs: number;
  readonly now: () => number;
  /** Called when steps were forgotten before their time, because `maxBytes` was reached. */
  readonly forgottenEarly: (steps: number) => void;
  /** Limit for all partitions together. The table that a partition is filling now is never forgotten. */
  readonly maxBytes?: number;
}

/** How long the next owner may need to start: the other members rejoin the group, and it reads the partition from a little before the committed offset. */
const REBALANCE_MS = 30_000;
/** The first attempt may have been answered at once, while the repeated one lasts until its deadline. */
const LONGEST_ATTEMPT_MS = 60_000;
/** Time spent in lanes and in the output, and differences between clocks. */
const MARGIN_MS = 30_000;
const MAX_BYTES = 64 << 20;
/** `rememberMs` is divided over this many tables, and each holds at least `LEAST_STEPS` steps. */
const TABLES = 4;
const LEAST_STEPS = 2_500;

/** The greatest time between twins in the log if one process died: until the group notices, until the next owner has started, and until its attempt has ended. */
export function twinDistanceMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs + REBALANCE_MS + LONGEST_ATTEMPT_MS + MARGIN_MS;
}

/** Consecutive records of one partition, whose steps are in one table. */
interface Stretch {
  readonly table: StepTable;
  /** `begun`: the newest timestamp read when this stretch began. `newest`: the newest timestamp read so far. Neither goes back. */
  readonly begun: number;
  newest: number;
  /** The oldest timestamp of its records. */
  oldest: number;
}

/** The stretches of one partition, newest first. The first one is being filled. */
type Stretches = [Stretch, ...Stretch[]];

export class TakenSteps {
  readonly #options: Required<TakenStepsOptions>;
  readonly #partitions = new ByPartition<Stretches>();
  readonly #key = stepKey();
  #bytes = 0;

  constructor(options: TakenStepsOptions) {
    this.#options = { maxBytes: MAX_BYTES, ...options };
  }

  /** Memory of all tables, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes the record. Returns false if a record with a lower offset has taken this step before. */
  take(record: TakenRecord, deliveryId: string, step: number): boolean {
    const stretches = this.#stretchesOf(record);
    const key = this.#key;
    writeStepKey(key, deliveryId, step);
    const offset = record.offset >>> 0;
    for (let i = 0; i < stretches.length; i++) {
      const { table } = stretches[i]!;
      const place = table.find(key);
      if (place === -1) continue;
      // Only the low 32 bits of offsets are stored. The difference is right, because no two records of a stretch are 2^31 apart.
      const ahead = (record.offset - table.offsetAt(place)) | 0;
      if (ahead < 0) table.setOffsetAt(place, offset);
      return ahead <= 0;
    }
    this.#add(stretches, record.timestamp, offset);
    return true;
  }

  /** The partition was revoked: frees its tables. */
  forget(partition: TopicPartition): void {
    for (const { table } of this.#partitions.get(partition) ?? [])
      this.#bytes -= table.bytes;
    this.#partitions.delete(partition);
  }

  #add(stretches: Stretches, timestamp: number, offset: number): void {
    // A timestamp in the future is replaced by now: otherwise its stretch would never be old enough to be forgotten.
    const at = Math.min(timestamp, this.#options.now());
    let filling = stretches[0];
    const { count, isFull } = filling.table;
    const isOver =
      at - filling.begun >= this.#options.rememberMs / TABLES &&
      count >= LEAST_STEPS;
    if (isOver || isFull) filling = this.#turn(stretches, at);
    filling.oldest = Math.min(filling.oldest, at);
    filling.newest = Math.max(filling.newest, at);
    const before = filling.table.bytes;
    filling.table.add(this.#key, offset);
    if (filling.table.bytes > before) this.#grew(filling.table.bytes - before);
  }

  /** Begins the next stretch, and forgets those whose time is over. */
  #turn(stretches: Stretches, at: number): Stretch {
    const [{ oldest, newest }] = stretches;
    const next = aStretch(at, newest);
    stretches.unshift(next);
    this.#grew(next.table.bytes);
    // Measure from the oldest record, not the newest: in a log that is read late, a record whose clock is ahead must not
    // make others be forgotten early. A record whose clock is behind only makes steps be remembered longer.
    const since = Math.min(oldest, at) - this.#options.rememberMs;
    while (stretches.length > TABLES + 1 && stretches.at(-1)!.newest < since)
      this.#drop(stretches);
    return next;
  }

  #grew(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#options.maxBytes) {
      const stretches = this.#oldest();
      if (stretches === null) return;
      const isEarly =
        stretches.at(-1)!.newest >
        stretches[0].newest - this.#options.rememberMs;
      const steps = this.#drop(stretches);
      if (isEarly) this.#options.forgottenEarly(steps);
    }
  }

  /** The partition with the oldest stretch, among stretches that are no longer being filled. */
  #oldest(): Stretches | null {
    let oldest: Stretches | null = null;
    for (const stretches of this.#partitions.values())
      if (
        stretches.length > 1 &&
        stretches.at(-1)!.newest < (oldest?.at(-1)!.newest ?? Infinity)
      )
        oldest = stretches;
    return oldest;
  }

  /** Forgets the partition's oldest stretch. Returns how many steps it held. */
  #drop(stretches: Stretches): number {
    const { table } = stretches.pop()!;
    this.#bytes -= table.bytes;
    return table.count;
  }

  #stretchesOf(record: TakenRecord): Stretches {
    let stretches = this.#partitions.get(record);
    if (stretches === undefined) {
      const first = aStretch(Math.min(record.timestamp, this.#options.now()));
      this.#partitions.set(record, (stretches = [first]));
      this.#grew(first.table.bytes);
    }
    return stretches;
  }
}

function aStretch(at: number, newestBefore = at): Stretch {
  const begun = Math.max(at, newestBefore);
  return { table: new StepTable(), begun, newest: begun, oldest: at };
}
