/**
 * Which (deliveryId, step) of a partition were taken, so that a repeated record does not fork into a second retry chain.
 *
 * A twin of a record comes when a process died after it had written the record and before its commit said so: whoever has
 * the partition next writes the record again. So twins stand as far apart in the log as such a handover lasts, however many
 * records come between: `twinDistanceMs`.
 *
 * Invariants:
 * - Records are taken in the order of the log, each once for as long as the partition is ours, when they are read and not
 *   when they are handled: a lane may be an hour behind the others.
 * - A record is a repeat only of a record with a *lower* offset of its partition. So a record that is read again after a
 *   crash is never taken for a repeat of itself, nor of a later twin that was dropped because of it.
 * - A step is known until records are read that were written `rememberMs` after it, and up to half as long again. The time
 *   is the log's, so that it holds while the partition is read late, or faster than it was written. The last 10,000 steps
 *   are known in any case, however old. But where all steps together would take more than `maxBytes`, the oldest are
 *   forgotten: before their time, too, which `forgottenEarly` tells.
 *
 * The steps stand in tables, of a quarter of the time and of 2,500 at least, and are forgotten a table at a time. A step takes 21 to 43 bytes,
 * so that 64 MiB are enough for about 12,000 records a second by the default session timeout.
 */
import { stepKey, writeStepKey } from "./step-key.ts";
import { StepTable } from "./step-table.ts";

export interface TakenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
}

export interface TakenStepsOptions {
  readonly rememberMs: number;
  readonly now: () => number;
  /** Steps were forgotten before their time, because there is no more memory for them. */
  readonly forgottenEarly: (steps: number) => void;
  /** Of all partitions; the table of each that is being filled is not forgotten. */
  readonly maxBytes?: number;
}

/** A second owner may take as long: the other members join, and the partition is read from a little before where it stood. */
const REBALANCE_MS = 30_000;
/** The second attempt may last until its deadline, where the first was answered at once. */
const LONGEST_ATTEMPT_MS = 60_000;
/** In lanes, in the output, and for clocks that differ. */
const MARGIN_MS = 30_000;
const MAX_BYTES = 64 << 20;
/** Tables in which the time is divided, and how many steps each has at least. */
const TABLES = 4;
const LEAST_STEPS = 2_500;

/** How far apart twins stand in the log, at most, if one process died: until the group notices, until the next has begun, and until its attempt has ended. */
export function twinDistanceMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs + REBALANCE_MS + LONGEST_ATTEMPT_MS + MARGIN_MS;
}

/** Records that follow each other in the log. */
interface Stretch {
  readonly table: StepTable;
  /** The newest time seen when it began, and since. Neither goes back. */
  readonly begun: number;
  newest: number;
  /** When the oldest of its records was written. */
  oldest: number;
}

/** Of one partition, the newest first; the first one is being filled. */
type Stretches = [Stretch, ...Stretch[]];

export class TakenSteps {
  readonly #options: Required<TakenStepsOptions>;
  /** By topic, then partition. */
  readonly #topics = new Map<string, (Stretches | undefined)[]>();
  readonly #key = stepKey();
  #bytes = 0;

  constructor(options: TakenStepsOptions) {
    this.#options = { maxBytes: MAX_BYTES, ...options };
  }

  /** What the tables take in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes the record; false when one with a lower offset has taken this step before. */
  take(record: TakenRecord, deliveryId: string, step: number): boolean {
    const stretches = this.#stretchesOf(record);
    const key = this.#key;
    writeStepKey(key, deliveryId, step);
    const offset = record.offset >>> 0;
    for (let i = 0; i < stretches.length; i++) {
      const { table } = stretches[i]!;
      const place = table.find(key);
      if (place === -1) continue;
      // The difference of the low bits: no two records of a stretch are 2^31 apart.
      const ahead = (record.offset - table.offsetAt(place)) | 0;
      if (ahead < 0) table.setOffsetAt(place, offset);
      return ahead <= 0;
    }
    this.#add(stretches, record.timestamp, offset);
    return true;
  }

  /** The partition was taken away. */
  forget({ topic, partition }: { topic: string; partition: number }): void {
    const partitions = this.#topics.get(topic);
    for (const { table } of partitions?.[partition] ?? [])
      this.#bytes -= table.bytes;
    delete partitions?.[partition];
  }

  #add(stretches: Stretches, timestamp: number, offset: number): void {
    // A time that is yet to come is nobody's: it would keep what it stands among for ever.
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
    // By the oldest record and not by the newest: in a log that is read late, one whose clock is ahead must not end the
    // time of the others. One whose clock is behind makes it longer.
    const since = Math.min(oldest, at) - this.#options.rememberMs;
    while (stretches.length > TABLES + 1 && stretches.at(-1)!.newest < since)
      this.#drop(stretches);
    return next;
  }

  #grew(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#options.maxBytes) {
      const longest = this.#oldest();
      if (longest === null) return;
      const isEarly =
        longest.at(-1)!.newest > longest[0].newest - this.#options.rememberMs;
      const steps = this.#drop(longest);
      if (isEarly) this.#options.forgottenEarly(steps);
    }
  }

  /** The partition whose last stretch is the oldest that is not being filled. */
  #oldest(): Stretches | null {
    let oldest: Stretches | null = null;
    for (const partitions of this.#topics.values())
      for (const stretches of partitions)
        if (
          stretches !== undefined &&
          stretches.length > 1 &&
          stretches.at(-1)!.newest < (oldest?.at(-1)!.newest ?? Infinity)
        )
          oldest = stretches;
    return oldest;
  }

  /** Forgets the last stretch. How many steps it had. */
  #drop(stretches: Stretches): number {
    const { table } = stretches.pop()!;
    this.#bytes -= table.bytes;
    return table.count;
  }

  #stretchesOf({ topic, partition, timestamp }: TakenRecord): Stretches {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, (partitions = []));
    let stretches = partitions[partition];
    if (stretches === undefined) {
      const first = aStretch(Math.min(timestamp, this.#options.now()));
      partitions[partition] = stretches = [first];
      this.#grew(first.table.bytes);
    }
    return stretches;
  }
}

function aStretch(at: number, newestBefore = at): Stretch {
  const begun = Math.max(at, newestBefore);
  return { table: new StepTable(), begun, newest: begun, oldest: at };
}
