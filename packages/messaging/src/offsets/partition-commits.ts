/**
 * What the group may have stored for one partition, and what is done that it was not told.
 *
 * Invariant: what the group has stored is one of the candidates, as long as nobody else commits for the partition: the value
 * that was last known to be stored, and those that were sent since and whose answer is not known.
 */
import type { MonotonicMs } from "@postrider/core";
import type { CommittedOffset } from "../ports.ts";

type Word = Pick<CommittedOffset, "offset" | "metadata">;

/** Values that may be stored, remembered a partition; more fail in a row only while the broker is away. */
const CANDIDATES = 100;
/** What a new run costs in metadata beside those that were counted: a few bytes. */
const RUN_CHARS = 4;

export class PartitionCommits {
  #candidates: Word[] = [];
  #doneSince: MonotonicMs | null = null;
  /** The metadata's length at the last commit, and its runs then. */
  #chars = 0;
  #runs = 0;

  /** Since when something is done that no commit says; null when nothing is. */
  get doneSince(): MonotonicMs | null {
    return this.#doneSince;
  }

  /** What was found stored. Its length counts only where it lists open runs: somebody else's says nothing of ours, and no commit would shorten it. */
  found({ offset, metadata }: Word, openRuns: number): void {
    this.#candidates = [{ offset, metadata }];
    this.#chars = openRuns === 0 ? 0 : metadata.length;
    this.#runs = openRuns;
  }

  /** Something is done that no commit says. */
  noteDone(now: MonotonicMs): void {
    this.#doneSince ??= now;
  }

  /** A commit leaves that says all that is done. Since when it was not said; `now` if all was. */
  noteSent(word: Word, openRuns: number, now: MonotonicMs): MonotonicMs {
    const since = this.#doneSince ?? now;
    this.#doneSince = null;
    this.#chars = word.metadata.length;
    this.#runs = openRuns;
    this.#candidates.push(word);
    if (this.#candidates.length > CANDIDATES) this.#candidates.shift();
    return since;
  }

  /** The commit is stored: those before it no longer can be. */
  noteStored(metadata: string): void {
    const at = this.#candidates.findIndex((one) => one.metadata === metadata);
    if (at > 0) this.#candidates.splice(0, at);
  }

  /** The commit failed: what it said is still to be said. It may be stored all the same. */
  noteUnsaid(since: MonotonicMs): void {
    this.#doneSince = Math.min(this.#doneSince ?? since, since);
  }

  /** The value is one that only we can have written, or the one that we found: nobody else has committed since. */
  mayBeOurs({ offset, metadata }: Word): boolean {
    return this.#candidates.some(
      (one) => one.offset === offset && one.metadata === metadata,
    );
  }

  /** The metadata's length if a commit with so many open runs were made now; not less, about. */
  metadataChars(openRuns: number): number {
    return this.#chars + Math.max(0, openRuns - this.#runs) * RUN_CHARS;
  }
}
