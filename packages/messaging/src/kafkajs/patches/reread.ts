/**
 * Decides whether, and when, a broken batch is fetched again.
 *
 * A bit may have been flipped in transfer; then the next fetch, which is made at once, brings the right bytes. A leader with a
 * bad page cache or bad memory gives the same wrong bytes for a while, although its disk or another replica is whole. So the
 * later fetches are spread over half a minute, and the last one is made after new metadata. Only the batch's own partition
 * waits. A batch that is broken every time is broken in the log, and is given up.
 *
 * There is no wait in two cases. Bytes that do not inflate, with a right checksum, are as their producer sent them: if they
 * were waited for, a producer could hold a partition up. And a doubtful gap is fetched once more and then believed.
 */
import type { UnreadableReason } from "../../record.ts";
import type { FetchedRecords } from "./fetched-records.ts";

/** The wait before each further fetch, ms. Their sum stays below 60 s: after that, a partition that has records and does not move fails liveness. */
export const WAITS_MS: readonly number[] = [0, 1000, 4000, 10_000, 15_000];
const QUICK_WAITS_MS: readonly number[] = [0, 0];
const DOUBT_WAITS_MS: readonly number[] = [0];

export interface RereadEffects {
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
  /** Asks the cluster for the partitions' leaders. Returns at once. */
  refreshMetadata(): void;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface Failing {
  readonly offset: string;
  fetches: number;
  dueAt: number;
}

/** Counts the fetches of broken batches, for one member of one group. */
export class Rereads {
  readonly #effects: RereadEffects;
  readonly #failing = new Map<string, Failing>();

  constructor(effects: RereadEffects) {
    this.#effects = effects;
  }

  /** Whether to drop what was fetched, so that kafkajs fetches it again. */
  isWanted(
    place: Place & { readonly fetchedOffset: string },
    { broken, isDoubtful }: FetchedRecords,
  ): boolean {
    const key = keyOf(place);
    if (broken === null && !isDoubtful) {
      this.#failing.delete(key);
      return false;
    }
    const known = this.#failing.get(key);
    const failing =
      known?.offset === place.fetchedOffset
        ? known
        : { offset: place.fetchedOffset, fetches: 0, dueAt: 0 };
    this.#failing.set(key, failing);
    const waits = waitsFor(broken?.unreadable?.reason);
    const waitMs = waits[failing.fetches++];
    if (waitMs === undefined) return false;
    failing.dueAt = this.#effects.monotonic() + waitMs;
    if (waitMs > 0 && failing.fetches === waits.length)
      this.#effects.refreshMetadata();
    return true;
  }

  /** Whether a partition may be left out of a fetch that begins now. */
  isAnyWaiting(): boolean {
    const now = this.#effects.monotonic();
    for (const { dueAt } of this.#failing.values())
      if (now < dueAt) return true;
    return false;
  }

  /** Whether the partition is to be left out of a fetch that would begin at `nextOffset()`. */
  isHeldBack(place: Place, nextOffset: () => string): boolean {
    const failing = this.#failing.get(keyOf(place));
    return (
      failing !== undefined &&
      this.#effects.monotonic() < failing.dueAt &&
      failing.offset === nextOffset()
    );
  }
}

function waitsFor(reason: UnreadableReason | undefined): readonly number[] {
  if (reason === undefined) return DOUBT_WAITS_MS;
  return reason === "compression" ? QUICK_WAITS_MS : WAITS_MS;
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}
