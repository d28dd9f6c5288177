/**
 * How often a batch that came broken is fetched again: a bit may have been flipped on the way, and the same bytes come
 * whole the next time. A batch that is broken every time is broken in the log, and is given up.
 */
import type { FetchedRecords } from "./fetched-records.ts";

/** Fetches of a broken batch, in all. */
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

/** For one member of one group. */
export class Rereads {
  readonly #failing = new Map<string, Failing>();

  /** Whether to forget what was fetched, and so to fetch it again. */
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
