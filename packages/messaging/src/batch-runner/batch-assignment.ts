/**
 * The loop of all partitions of one assignment. Each partition finds its beginning and repeats what was announced, by itself; once it is
 * ready, the loop takes its records: gather → record → settle, until the assignment ends.
 *
 * The loop ends in two ways. `end` (the assignment is over): nothing more is committed; an insert in flight may finish, because the
 * next owners repeat it under the same token. `drain` (a clean stop): the current batch is finished and committed; if it waits for a
 * fault to pass, it is given up, and the next owners repeat its intent.
 */
import type { MonotonicMs } from "@postrider/core";
import { gather, isFull, oldestHead } from "./batch-gather.ts";
import { BatchPartitions } from "./batch-partitions.ts";
import { InsertLinger } from "./insert-linger.ts";
import type { AssignmentHost } from "./partition-host.ts";
import { isOver, PartitionWaits } from "./partition-waits.ts";
import type { FetchedBatch, LogRange, TopicPartition } from "../ports.ts";

export class BatchAssignment<Row> {
  readonly sources: readonly TopicPartition[];
  /** Resolves when the loop has ended; never rejects. */
  readonly done: Promise<void>;
  /** Partitions whose log does not have our position, until it is known where to go on (place-anew.ts). */
  readonly misplaced = new Set<number>();
  readonly #host: AssignmentHost<Row>;
  readonly #waits: PartitionWaits;
  readonly #linger: InsertLinger;
  #partitions: BatchPartitions<Row>;
  #isLeaving = false;
  #movedAt: MonotonicMs;

  constructor(sources: readonly TopicPartition[], host: AssignmentHost<Row>) {
    this.sources = sources;
    this.#host = host;
    const { topic } = host;
    this.#waits = new PartitionWaits({
      monotonic: () => host.monotonic(),
      random: () => host.random(),
      waiting: (problem, needsOperator) =>
        host.report({ topic }, { kind: "waiting", problem, needsOperator }),
      healed: (problem) => host.report({ topic }, { kind: "healed", problem }),
    });
    this.#linger = new InsertLinger(host.limits.lingerMs, () =>
      host.monotonic(),
    );
    this.#movedAt = host.monotonic();
    this.#partitions = this.#newPartitions();
    this.done = this.#run().finally(() => this.end());
  }

  /** Why no progress is made, for readiness; null if it is made. */
  get problem(): string | null {
    return this.#waits.problem ?? this.#partitions.problem;
  }

  /** The group rebalances. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** For how long the loop has had records and nothing to wait for, and made no progress, ms. Only a bug makes this grow. A head whose wait for a schema is over is to be looked at, so it counts from then on. */
  stuckMs(): number {
    const isExcused =
      this.#isLeaving ||
      this.#waits.isEnded ||
      this.#waits.problem !== null ||
      this.#waits.isOutside;
    if (isExcused) return 0;
    const since = this.#partitions
      .ready()
      .filter(({ queue }) => queue.size > 0)
      .map(({ partition, queue }) =>
        Math.max(queue.headSince, partition.blockedUntil),
      );
    const ableSince = Math.max(this.#movedAt, Math.min(...since));
    return Math.max(0, this.#host.monotonic() - ableSince);
  }

  /** The first offset of the partition that is not recorded yet; null until it is known. */
  baseOf(partition: number): number | null {
    return this.#partitions.protocol.baseOf(partition) ?? null;
  }

  push(batch: FetchedBatch): void {
    this.#partitions.push(batch);
    this.#waits.notify();
  }

  /** Reading goes on where it was, or at the log's start if that has passed our position. False if the log ends before our position. */
  skipTo(partition: number, log: LogRange): boolean {
    const isInside = this.#partitions.skipTo(partition, log);
    this.#waits.notify();
    return isInside;
  }

  /** The log ends before our position: the partition begins anew from our last commit, after the current batch. */
  restart(partition: number): void {
    this.#partitions.restart(partition);
    this.#waits.notify();
  }

  /** The group is about to rebalance: no new batch is announced; what is announced is settled. The next assignment follows. */
  leave(): void {
    this.#isLeaving = true;
    this.#waits.notify();
  }

  drain(): void {
    this.#waits.drain();
    this.#partitions.drain();
  }

  end(): void {
    this.#waits.end();
    this.#partitions.end();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // so that the constructor returns first
    for (let failures = 1; ; failures++) {
      try {
        await this.#record();
        return;
      } catch (error) {
        if (isOver(error)) return;
        // A bug. The stored commits are still right: begin again from there.
        const { topic } = this.#host;
        this.#host.report({ topic }, { kind: "failed", error });
        this.#partitions.close();
        if (!(await this.#mayRetry(failures))) return;
        this.#partitions = this.#newPartitions();
      }
    }
  }

  async #mayRetry(failures: number): Promise<boolean> {
    try {
      await this.#waits.backOff(failures);
      return true;
    } catch {
      return false; // ended while waiting
    }
  }

  async #record(): Promise<void> {
    this.#waits.throwIfEnded();
    const partitions = this.#partitions;
    partitions.begin();
    while (!this.#waits.isDraining) {
      partitions.betweenBatches();
      await this.#step();
    }
    await partitions.located(); // what they repeat is finished, too; a wait for a fault to pass ends
    await partitions.protocol.settle();
  }

  /** Records one batch, or waits until it is time to look again. */
  async #step(): Promise<void> {
    const host = this.#host;
    const now = host.monotonic();
    const ready = this.#partitions
      .ready()
      .filter(({ partition }) => partition.blockedUntil <= now);
    const head = oldestHead(ready);
    const leavesAt =
      head === undefined || this.#isLeaving
        ? Infinity
        : head + this.#linger.msFrom(head);
    if (
      this.#isLeaving ||
      head === undefined ||
      (now < leavesAt && !isFull(ready, host.limits))
    )
      return await this.#idle(now, leavesAt);
    const { entries, intendedAt, taken, waiting } = gather(ready, host);
    for (const [{ partition }, schema] of waiting) {
      partition.waits.reportProblem(`waits for schema ${schema}`, false);
      partition.blockedUntil = now + host.limits.schemaPollMs;
    }
    if (entries.length === 0) return;
    for (const [{ partition, queue }, count] of taken) {
      queue.drop(count, now);
      partition.fetching.regulate();
    }
    await this.#partitions.protocol.record(entries, intendedAt);
    for (const [{ partition }] of taken) partition.waits.resolveProblem();
    this.#waits.resolveProblem();
    this.#movedAt = host.monotonic();
  }

  /** `now`: when the queues were looked at. A later reading would miss a partition whose wait has ended since, and sleep past it. */
  async #idle(now: MonotonicMs, leavesAt: MonotonicMs): Promise<void> {
    // There is no next intent to carry the progress, so commit it alone. Offsets without records count as done.
    const readTo = new Map<number, number>();
    let wakesAt = leavesAt;
    let isAhead = false;
    for (const { partition, queue } of this.#partitions.ready()) {
      const { source, blockedUntil } = partition;
      if (queue.size > 0) {
        if (blockedUntil > now) wakesAt = Math.min(wakesAt, blockedUntil);
        continue;
      }
      readTo.set(source.partition, queue.readTo);
      isAhead ||= queue.readTo > (this.baseOf(source.partition) ?? 0);
    }
    const { protocol } = this.#partitions;
    if (isAhead || !protocol.isSettled) return await protocol.settle(readTo);
    const waitMs = wakesAt - this.#host.monotonic();
    await this.#waits.untilNotified(
      waitMs === Infinity ? undefined : Math.max(waitMs, 0),
    );
  }

  #newPartitions(): BatchPartitions<Row> {
    return new BatchPartitions(this.sources, {
      host: this.#host,
      waits: this.#waits,
      linger: this.#linger,
    });
  }
}
