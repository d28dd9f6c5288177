/**
 * Continuous commits: progress is committed soon after it is made, under the assignment in which it was computed.
 *
 * One commit is in flight at a time, for all partitions that changed. The next one leaves when that was answered, and at
 * least max(interval, its bytes ÷ 200 KB/s) after it began. A commit is tried once; if it fails, the next one carries its
 * progress too. The exception is the last commit before a rebalance: it leaves at once, even if another is in flight. Both
 * use the same connection, so the broker sees them in order.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MonotonicMs } from "@postrider/core";
import type { Clock, Log, Meter } from "@postrider/runtime";
import { encodeOffsetMetadata } from "./offset-metadata.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import { StaleAssignmentError, type Consumer } from "../ports.ts";
import type { RunnerObserver } from "./offset-observer.ts";

/** At most so many bytes of commits per second. Every commit is appended to the broker's offsets topic, which is compacted only now and then. */
const COMMIT_BYTES_PER_SECOND = 200_000;
/** About how many bytes a partition adds to a request beside its metadata. */
const ENTRY_BYTES = 60;
/** After a failure the next commit waits at least this long, ms. */
const FAILURE_PAUSE_MS = 100;
const AGE_BUCKETS = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

export interface CommitterOptions {
  readonly stage: string;
  readonly consumer: Consumer;
  /** Names this member in the metadata that it writes. */
  readonly tag: string;
  readonly intervalMs: number;
  readonly observer?: RunnerObserver | undefined;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

type Partition = OwnedPartition;

/** What a commit in flight carries for one partition. */
interface SentCommit {
  readonly partition: Partition;
  readonly offset: number;
  readonly metadata: string;
  /** When the oldest completion was made that this commit is the first to carry. */
  readonly since: MonotonicMs;
}

export class Committer {
  readonly #options: CommitterOptions;
  readonly #age: ReturnType<Meter["histogram"]>;
  readonly #failures: ReturnType<Meter["counter"]>;
  /** Partitions whose progress is in no in-flight commit. */
  readonly #changed = new Set<Partition>();
  /** The commits in flight: one; around a rebalance two or three. Each answer concerns its own commit only. */
  readonly #sent = new Set<readonly SentCommit[]>();
  #epoch: number | null = null;
  #counter = 0;
  #inFlight: Promise<boolean> | null = null;
  #earliestAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CommitterOptions) {
    const { meter } = options;
    this.#options = options;
    this.#age = meter.histogram(
      "postrider_commit_age_seconds",
      "From a completion to the acknowledgement of the commit that says so; the oldest of each partition's commit",
      AGE_BUCKETS,
      ["stage"],
    );
    this.#failures = meter.counter(
      "postrider_commit_failures_total",
      "Commits that were not acknowledged; the next one says the same and more",
      ["stage", "kind"],
    );
  }

  /** Commits belong to this assignment from now on. */
  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#earliestAt = 0;
    // A commit of the previous assignment may never be answered, if its coordinator died: do not wait for it. If it reaches the broker late, it is refused because its generation is old.
    this.#inFlight = null;
    this.#schedule();
  }

  /** Ends the assignment: its last commit is sent before this returns. */
  end(): void {
    const epoch = this.#epoch;
    if (epoch === null) return;
    this.#send(epoch);
    this.#epoch = null;
    this.#cancel();
  }

  /** There is new progress in the partition. */
  changed(partition: Partition): void {
    if (partition.commits.doneSince !== null) return;
    partition.commits.noteDone(this.#options.clock.monotonic());
    this.#changed.add(partition);
    this.#schedule();
  }

  /** Commits our position again, without waiting for the interval, because the stored one is known to be wrong. */
  commitSoon(partition: Partition): void {
    this.changed(partition);
    this.#earliestAt = 0;
    this.#cancel();
    this.#schedule();
  }

  forget(partition: Partition): void {
    this.#changed.delete(partition);
  }

  /** Age of the oldest completion that no acknowledged commit carries, ms; 0 if all are committed. */
  ageMs(): number {
    let oldest = Infinity;
    for (const { commits } of this.#changed)
      oldest = Math.min(oldest, commits.doneSince ?? Infinity);
    for (const commits of this.#sent)
      for (const { partition, since } of commits)
        if (partition.state !== "lost" && since < oldest) oldest = since;
    return oldest === Infinity ? 0 : this.#options.clock.monotonic() - oldest;
  }

  /**
   * Commits until all progress is acknowledged. Resolves with true if it is; with false if `isOver` came first, or if there is
   * progress left and no assignment to commit it under.
   */
  async drain(isOver: () => boolean): Promise<boolean> {
    for (;;) {
      if (this.#inFlight === null && this.#epoch !== null)
        this.#send(this.#epoch);
      if (this.#inFlight === null) return this.#changed.size === 0;
      const isAcknowledged = await this.#inFlight;
      if (isOver()) return this.#changed.size === 0;
      if (!isAcknowledged) await sleep(FAILURE_PAUSE_MS);
    }
  }

  #schedule(): void {
    const isIdle = this.#inFlight === null && this.#timer === null;
    if (!isIdle || this.#epoch === null || this.#changed.size === 0) return;
    const waitMs = this.#earliestAt - this.#options.clock.monotonic();
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (this.#epoch !== null) this.#send(this.#epoch);
      },
      Math.max(0, waitMs),
    );
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #send(epoch: number): void {
    this.#cancel();
    if (this.#changed.size === 0) return;
    const commits = [...this.#changed].map((partition) =>
      this.#commitOf(partition),
    );
    this.#changed.clear();
    this.#pace(commits);
    const offsets = commits.map(({ partition, offset, metadata }) => ({
      topic: partition.topic,
      partition: partition.partition,
      offset,
      metadata,
    }));
    this.#sent.add(commits);
    const sent = this.#options.consumer.commit(epoch, offsets).then(
      () => this.#acknowledged(commits),
      (error: unknown) => this.#failed(commits, error),
    );
    this.#inFlight = sent;
    void sent.then(() => {
      if (this.#inFlight === sent) this.#inFlight = null;
      // Also for a commit of an assignment before: it may fail only now, and nobody else would plan the commit of its progress.
      this.#schedule();
    });
  }

  #commitOf(partition: Partition): SentCommit {
    const { tracker, commits } = partition;
    const offset = tracker.base;
    const metadata = encodeOffsetMetadata({
      base: offset,
      next: tracker.next,
      runs: tracker.runs(),
      tag: this.#options.tag,
      counter: this.#counter++,
    });
    const since = commits.noteSent(
      { offset, metadata },
      tracker.runCount,
      this.#options.clock.monotonic(),
    );
    return { partition, offset, metadata, since };
  }

  #pace(offsets: readonly { metadata: string }[]): void {
    let bytes = 0;
    for (const { metadata } of offsets) bytes += ENTRY_BYTES + metadata.length;
    this.#earliestAt =
      this.#options.clock.monotonic() +
      Math.max(
        this.#options.intervalMs,
        (bytes * 1000) / COMMIT_BYTES_PER_SECOND,
      );
  }

  #acknowledged(sent: readonly SentCommit[]): true {
    const { clock, observer, stage } = this.#options;
    this.#sent.delete(sent);
    const now = clock.monotonic();
    for (const { partition, offset, metadata, since } of sent) {
      const { topic, partition: number, commits } = partition;
      observer?.committed(topic, number, offset, metadata);
      this.#age.observe((now - since) / 1000, { stage });
      commits.noteStored(metadata);
    }
    return true;
  }

  #failed(sent: readonly SentCommit[], error: unknown): false {
    this.#sent.delete(sent);
    const { clock, log, stage } = this.#options;
    const isStale = error instanceof StaleAssignmentError;
    const kind = isStale ? "stale" : "failed";
    this.#failures.inc({ stage, kind });
    const fields = { stage, kind, error: String(error) };
    if (isStale) log.info("commit.dropped", fields);
    else log.warn("commit.failed", fields);
    this.#earliestAt = Math.max(
      this.#earliestAt,
      clock.monotonic() + FAILURE_PAUSE_MS,
    );
    for (const { partition, since } of sent) {
      if (partition.state === "lost") continue;
      partition.commits.noteUnsaid(since);
      this.#changed.add(partition);
    }
    return false;
  }
}
