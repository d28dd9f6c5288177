/**
 * The commits of one partition: which values the group may have stored, and since when there is progress in no commit.
 *
 * Invariant: as long as nobody else commits for the partition, the value that the group has stored is one of the candidates.
 * The candidates are the value that was last known to be stored, and all values sent since then.
 */
import type { MonotonicMs } from "@postrider/core";
import type { CommittedOffset } from "../ports.ts";

type CommitValue = Pick<CommittedOffset, "offset" | "metadata">;

/** At most so many candidates are kept. More than that fail in a row only while the broker is away. */
const CANDIDATES = 100;
/** About how many characters one more run of open offsets adds to the metadata. */
const RUN_CHARS = 4;

export class PartitionCommits {
  #candidates: CommitValue[] = [];
  #doneSince: MonotonicMs | null = null;
  /** The length of the metadata at the last commit, and how many runs it listed. */
  #chars = 0;
  #runs = 0;

  /** Since when there is progress that no in-flight or acknowledged commit carries; null if there is none. */
  get doneSince(): MonotonicMs | null {
    return this.#doneSince;
  }

  /**
   * Notes the value that was found stored on assignment. The length of metadata that we cannot decode (`openRuns` is 0) is
   * ignored: it would count as pressure and pause reading, so no commit would ever replace it.
   */
  found({ offset, metadata }: CommitValue, openRuns: number): void {
    this.#candidates = [{ offset, metadata }];
    this.#chars = openRuns === 0 ? 0 : metadata.length;
    this.#runs = openRuns;
  }

  /** A record is done that no commit carries yet. */
  noteDone(now: MonotonicMs): void {
    this.#doneSince ??= now;
  }

  /** A commit with all progress leaves. Returns `doneSince` as it was before: the oldest progress that this commit is the first to carry; `now` if there is none. */
  noteSent(
    value: CommitValue,
    openRuns: number,
    now: MonotonicMs,
  ): MonotonicMs {
    const since = this.#doneSince ?? now;
    this.#doneSince = null;
    this.#chars = value.metadata.length;
    this.#runs = openRuns;
    this.#candidates.push(value);
    if (this.#candidates.length > CANDIDATES) this.#candidates.shift();
    return since;
  }

  /** The commit was acknowledged: earlier values can no longer be the stored one. */
  noteStored(metadata: string): void {
    const at = this.#candidates.findIndex((one) => one.metadata === metadata);
    if (at > 0) this.#candidates.splice(0, at);
  }

  /** The commit failed: the next one must carry its progress. It stays a candidate, because the group may have stored it all the same. */
  noteUnsaid(since: MonotonicMs): void {
    this.#doneSince = Math.min(this.#doneSince ?? since, since);
  }

  /** Whether the stored value is one that we wrote, or the one that we found on assignment. If so, nobody else has committed since. */
  mayBeOurs({ offset, metadata }: CommitValue): boolean {
    return this.#candidates.some(
      (one) => one.offset === offset && one.metadata === metadata,
    );
  }

  /** About how long the metadata of a commit with so many open runs would be, in characters; rather too long than too short. */
  metadataChars(openRuns: number): number {
    return this.#chars + Math.max(0, openRuns - this.#runs) * RUN_CHARS;
  }
}
