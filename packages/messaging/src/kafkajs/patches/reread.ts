/**
 * Decides whether a broken batch is fetched again. A bit may have been flipped in transfer; then the next fetch brings the right
 * bytes. A batch that is broken every time is broken in the log, and is given up.
 */
import type { FetchedRecords } from "./fetched-records.ts";

/** How often a broken batch is fetched in all. */
export const BROKEN_FETCHES = 3;

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly fetchedOffset: string;
}

interface Failing {
  readonly offset: string;
  fetches: number;
}

/** Counts the fetches of broken batches, for one member of one group. */
export class Rereads {
  readonly #failing = new Map<string, Failing>();

  /** Whether to drop what was fetched, so that kafkajs fetches it again. */
  isWanted(place: Place, fetched: FetchedRecords): boolean {
    const key = `${place.topic}/${place.partition}`;
    if (fetched.broken === null) {
      this.#failing.delete(key);
      return false;
    }
    const known = this.#failing.get(key);
    const failing =
      known?.offset === place.fetchedOffset
        ? known
        : { offset: place.fetchedOffset, fetches: 0 };
    this.#failing.set(key, failing);
    return ++failing.fetches < BROKEN_FETCHES;
  }
}
