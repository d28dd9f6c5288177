/**
 * Which partitions this member owns, and where their reading begins (docs/architecture.md, "The runner").
 *
 * From the first sign of a rebalance no handler starts until the new assignment is *settled*: the stored offset and metadata
 * of each partition have been compared with what we wrote. A partition that we owned before is kept, with its queue and open
 * records, only if the stored value is the last known stored value (acknowledged to us, or found on assignment), or one sent
 * since. Otherwise another member had the partition meanwhile, and it begins anew. There is one `OwnedPartition` of a partition at a time. If another one takes its place while the broker is
 * asked about it, the answer is dropped.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, Log } from "@postrider/runtime";
import { OwnedPartition } from "./owned-partition.ts";
import type {
  CommittedOffset,
  Consumer,
  LogRange,
  TopicPartition,
} from "../ports.ts";
import { startPoint, type StartPoint } from "./start-point.ts";
import { warmUpStart } from "./warm-up.ts";

export interface AssignmentOptions {
  readonly consumer: Consumer;
  /** How much is read again below the base, at most. 0 records if the stage remembers nothing. */
  readonly warmUp: { readonly records: number; readonly ms: number };
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  readonly events: AssignmentEvents;
}

export interface AssignmentEvents {
  /** The partition is no longer ours: forget its queue. */
  lost(partition: OwnedPartition): void;
  /** The partition's position is known and set: fetching may be resumed. */
  reading(partition: OwnedPartition): void;
  /** Our position, or the stored offset, lies outside the log, and reading goes on elsewhere: commit that at once. */
  misplaced(partition: OwnedPartition): void;
  /** The position of every partition of the epoch is known. */
  settled(epoch: number): void;
  offsetsLost(partition: TopicPartition, count: number): void;
}

interface Place {
  readonly owned: OwnedPartition;
  readonly stored: CommittedOffset;
  readonly range: LogRange;
  readonly start: StartPoint | null;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;

export class Assignment {
  readonly #options: AssignmentOptions;
  readonly #partitions = new Map<string, OwnedPartition>();
  #epoch = 0;
  #isSettled = false;
  #isStopped = false;

  constructor(options: AssignmentOptions) {
    this.#options = options;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get size(): number {
    return this.#partitions.size;
  }

  all(): Iterable<OwnedPartition> {
    return this.#partitions.values();
  }

  /** Null if the partition is not ours, or its position is not known yet. The runner drops its batches until then; they are fetched again. */
  get({ topic, partition }: TopicPartition): OwnedPartition | null {
    const owned = this.#partitions.get(`${topic}:${partition}`);
    return owned?.state === "reading" ? owned : null;
  }

  revoking(): void {
    this.#isSettled = false;
  }

  assigned(epoch: number, partitions: readonly TopicPartition[]): void {
    this.#epoch = epoch;
    this.#isSettled = false;
    const ours = new Set(partitions.map(keyOf));
    for (const [key, owned] of this.#partitions)
      if (!ours.has(key)) this.#lose(owned);
    for (const partition of partitions) {
      const owned = this.#partitions.get(keyOf(partition));
      if (owned === undefined) this.#begin(partition);
      else owned.pause();
    }
    this.#options.log.info("partitions.assigned", {
      epoch,
      partitions: [...ours],
    });
    void this.#settle(epoch);
  }

  /** The broker says that the log does not have our position. Asks where the log begins and ends now, and goes on there (`#goOn`). */
  async outOfRange(epoch: number, partition: TopicPartition): Promise<void> {
    const { consumer } = this.#options;
    const owned = this.get(partition);
    if (owned === null) return;
    owned.pause();
    await this.#persist(epoch, async () => {
      const [range] = await consumer.fetchLogRanges([partition]);
      if (this.#epoch !== epoch || owned.state !== "reading") return;
      this.#goOn(owned, required(range, partition));
    });
  }

  /** Ends the attempts to learn where partitions stand: one that waits for its next try does not try again. */
  stop(): void {
    this.#isStopped = true;
  }

  async #settle(epoch: number): Promise<void> {
    await this.#persist(epoch, async () => {
      const { consumer, events } = this.#options;
      const partitions = [...this.#partitions.values()];
      const [committed, ranges] = await Promise.all([
        consumer.fetchCommitted(partitions),
        consumer.fetchLogRanges(partitions),
      ]);
      if (this.#epoch !== epoch) return;
      const storedOf = new Map(
        committed.map((stored) => [keyOf(stored), stored]),
      );
      const rangeOf = new Map(ranges.map((range) => [keyOf(range), range]));
      const known = await Promise.all(
        partitions.map((owned) =>
          this.#placeOf(
            owned,
            required(storedOf.get(keyOf(owned)), owned),
            required(rangeOf.get(keyOf(owned)), owned),
          ),
        ),
      );
      if (this.#epoch !== epoch) return;
      // `outOfRange` has put a new OwnedPartition in the place of one that we asked about, so the answers are not about the new one.
      const replaced = partitions.find((owned) => !this.#isOurs(owned));
      if (replaced !== undefined)
        throw new Error(`${keyOf(replaced)} began anew meanwhile`);
      for (const place of known) this.#apply(place);
      this.#isSettled = true;
      events.settled(epoch);
    });
  }

  /** Where the partition's reading begins. `start` is null if the partition is kept. */
  async #placeOf(
    owned: OwnedPartition,
    stored: CommittedOffset,
    range: LogRange,
  ): Promise<Place> {
    // The stored value may be ours, so nobody else had the partition meanwhile.
    if (owned.state === "reading" && owned.commits.mayBeOurs(stored))
      return { owned, stored, range, start: null };
    const { consumer, clock, warmUp } = this.#options;
    const start = startPoint(stored, range, warmUp.records);
    const { base, seekTo } = start;
    // Nothing is to be read again, or the number of records alone bounds it: the broker need not be asked about times.
    if (seekTo === base || warmUp.ms === Infinity)
      return { owned, stored, range, start };
    const from = await warmUpStart({
      base,
      log: range,
      warmUpMs: warmUp.ms,
      now: clock.now(),
      offsetAt: (at) => consumer.fetchOffsetAt(owned, at),
    });
    const nearest = { ...start, seekTo: Math.max(seekTo, from) };
    return { owned, stored, range, start: nearest };
  }

  #apply({ owned, stored, range, start }: Place): void {
    if (start === null) {
      this.#goOn(owned, range);
      return;
    }
    let fresh = owned;
    if (owned.state === "reading") {
      this.#lose(owned);
      fresh = this.#begin(owned);
    }
    this.#load(fresh, start, stored);
  }

  #load(
    owned: OwnedPartition,
    start: StartPoint,
    stored: CommittedOffset,
  ): void {
    const { events, log } = this.#options;
    const { kind, lost, base, next, seekTo } = start;
    const fields = {
      topic: owned.topic,
      partition: owned.partition,
      kind,
      committed: stored.offset,
      base,
      next,
      seekTo,
      lost,
    };
    owned.load(start, stored);
    if (kind === "below_log" || kind === "above_log") {
      log.error("partition.offsetsLost", fields);
      events.offsetsLost(owned, lost);
      events.misplaced(owned);
    } else if (kind === "foreign_metadata")
      log.warn("partition.metadataUnreadable", fields);
    else log.debug("partition.loaded", fields);
    this.#startReading(owned);
  }

  /**
   * Goes on with a partition that is ours. If the log has our position, reading goes on there, and the queue and open records stay.
   * So do they if the log now begins above the position: then reading goes on at its start. If the log ends below the position, it
   * was cut: everything that we know of the partition is forgotten, and reading goes on at its end.
   */
  #goOn(owned: OwnedPartition, range: LogRange): void {
    const { events, log } = this.#options;
    const { topic, partition, position } = owned;
    const fields = {
      topic,
      partition,
      position,
      start: range.start,
      end: range.end,
    };
    if (position > range.end) {
      // The log was cut: the broker will give the same offsets to other records. So nothing that we know of them holds any more.
      this.#lose(owned);
      const fresh = this.#begin(owned);
      // As if our position was stored, without open offsets: `startPoint` then begins at the log's end and reports what is lost.
      // No warm-up: the stage would remember offsets that other records will get.
      const asIfStored = { topic, partition, offset: position, metadata: "" };
      this.#load(fresh, startPoint(asIfStored, range, 0), asIfStored);
      return;
    }
    if (position < range.start) {
      const lost = owned.skipTo(range.start);
      log.error("partition.offsetsLost", {
        ...fields,
        kind: "below_log",
        lost,
      });
      events.offsetsLost(owned, lost);
      events.misplaced(owned);
    }
    this.#startReading(owned);
  }

  #startReading(owned: OwnedPartition): void {
    this.#options.consumer.seek(owned, owned.fetchPosition);
    this.#options.events.reading(owned);
  }

  #begin(partition: TopicPartition): OwnedPartition {
    const owned = new OwnedPartition(partition);
    this.#partitions.set(keyOf(partition), owned);
    return owned;
  }

  #lose(owned: OwnedPartition): void {
    const { events, log } = this.#options;
    if (this.#isOurs(owned)) this.#partitions.delete(keyOf(owned));
    const { topic, partition, openInMemory } = owned;
    owned.lose();
    log.info("partition.lost", { topic, partition, unfinished: openInMemory });
    events.lost(owned);
  }

  #isOurs(owned: OwnedPartition): boolean {
    return this.#partitions.get(keyOf(owned)) === owned;
  }

  /** Tries `work` until it succeeds, the epoch is over, or `stop` is called. */
  async #persist(epoch: number, work: () => Promise<void>): Promise<void> {
    for (
      let waitMs = FIRST_RETRY_MS;
      ;
      waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)
    ) {
      if (this.#epoch !== epoch || this.#isStopped) return;
      try {
        await work();
        return;
      } catch (error) {
        this.#options.log.warn("assignment.notLoaded", {
          epoch,
          error: String(error),
        });
        await sleep(waitMs);
      }
    }
  }
}

/** Throws if the broker's answer does not name the partition. `#persist` then asks again. */
function required<T>(
  found: T | undefined,
  { topic, partition }: TopicPartition,
): T {
  if (found === undefined)
    throw new Error(`Nothing is known of ${topic}:${partition} now.`);
  return found;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}
