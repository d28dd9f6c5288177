/**
 * The loop of all partitions of one assignment. Each partition finds its beginning and repeats what was announced, by itself; once it is
 * ready, the loop takes its records: gather → record → settle, until the assignment ends.
 *
 * The loop ends in two ways. `end` (the assignment is over): nothing more is committed; an insert in flight may finish, because the
 * next owners repeat it under the same token. `drain` (a clean stop): the current batch is finished and committed; if it waits for a
 * fault to pass, it is given up, and the next owners repeat its intent.
 */
import type { MonotonicMs } from "@postrider/core";
import { batchEffects } from "./batch-effects.ts";
import { gather, isFull, oldestHead } from "./batch-gather.ts";
import type { Source } from "./batch-gather.ts";
import { BatchPartition } from "./batch-partition.ts";
import { BatchProtocol } from "./batch-protocol.ts";
import { BatchRepeats } from "./batch-repeat.ts";
import { InsertLinger } from "./insert-linger.ts";
import type { AssignmentHost, Position } from "./partition-host.ts";
import { Ended, PartitionWaits } from "./partition-waits.ts";
import { StaleAssignmentError } from "../ports.ts";
import type { FetchedBatch, TopicPartition } from "../ports.ts";

interface Ready<Row> extends Source {
  readonly partition: BatchPartition<Row>;
}

export class BatchAssignment<Row> {
  /** Resolves when the loop has ended; never rejects. */
  readonly done: Promise<void>;
  readonly #sources: readonly TopicPartition[];
  readonly #host: AssignmentHost<Row>;
  readonly #waits: PartitionWaits;
  readonly #linger: InsertLinger;
  readonly #cut = new Set<number>();
  #partitions: ReadonlyMap<number, BatchPartition<Row>> = new Map();
  #protocol: BatchProtocol<Row>;
  #repeats: BatchRepeats<Row>;
  readonly #locating = new Set<Promise<void>>();
  #failure: unknown = null;
  #isLeaving = false;
  #movedAt: MonotonicMs;

  constructor(sources: readonly TopicPartition[], host: AssignmentHost<Row>) {
    this.#sources = sources;
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
    this.#protocol = this.#newProtocol();
    this.#repeats = this.#newRepeats();
    this.done = this.#run().finally(() => this.end());
  }

  get sources(): readonly TopicPartition[] {
    return this.#sources;
  }

  /** Why no progress is made, for readiness; null if it is made. */
  get problem(): string | null {
    if (this.#waits.problem !== null) return this.#waits.problem;
    for (const { source, problem } of this.#partitions.values())
      if (problem !== null) return `partition ${source.partition}: ${problem}`;
    return null;
  }

  /** For how long the loop has had records and nothing to wait for, and made no progress, ms. Only a bug makes this grow. */
  stuckMs(): number {
    const able = this.#ready().filter(
      ({ partition }) => partition.problem === null,
    );
    const head = oldestHead(able);
    const isExcused =
      this.#isLeaving ||
      this.#waits.isEnded ||
      this.#waits.problem !== null ||
      this.#waits.isOutside;
    if (isExcused || head === undefined) return 0;
    return this.#host.monotonic() - Math.max(this.#movedAt, head);
  }

  /** The first offset of the partition that is not recorded yet; null until it is known. */
  baseOf(partition: number): number | null {
    return this.#protocol.baseOf(partition) ?? null;
  }

  push(batch: FetchedBatch): void {
    this.#partitions.get(batch.partition)?.push(batch);
    this.#waits.notify();
  }

  /** The log's start has passed our position: reading goes on there. */
  skipTo(partition: number, start: number): void {
    this.#partitions.get(partition)?.skipTo(start);
    this.#waits.notify();
  }

  /** The log ends before our position: the partition begins anew from our last commit, after the current batch. */
  restart(partition: number): void {
    this.#cut.add(partition);
    this.#waits.notify();
  }

  /** The group is about to rebalance: no new batch is announced; what is announced is settled. The next assignment follows. */
  leave(): void {
    this.#isLeaving = true;
    this.#waits.notify();
  }

  drain(): void {
    this.#waits.drain();
    for (const { waits } of this.#partitions.values()) waits.drain();
  }

  end(): void {
    this.#waits.end();
    for (const { waits } of this.#partitions.values()) waits.end();
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
        for (const partition of this.#partitions.values()) {
          partition.close();
          partition.waits.end();
        }
        if (!(await this.#mayRetry(failures))) return;
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
    this.#failure = null;
    this.#protocol = this.#newProtocol();
    this.#repeats = this.#newRepeats();
    this.#partitions = new Map(
      this.#sources.map((source) => [
        source.partition,
        new BatchPartition(source, this.#host),
      ]),
    );
    for (const partition of this.#partitions.values())
      this.#begin(partition, null);
    while (!this.#waits.isDraining) {
      if (this.#failure !== null) throw this.#failure;
      for (const partition of this.#cut) this.#beginAnew(partition);
      this.#cut.clear();
      await this.#step();
    }
    await Promise.all(this.#locating); // what they repeat is finished, too; a wait for a fault to pass ends
    await this.#protocol.settle();
  }

  /** Lets the partition find its beginning, and takes it up when it has. */
  #begin(partition: BatchPartition<Row>, known: Position | null): void {
    const repeats = this.#repeats;
    const located = partition
      .locate(repeats, known)
      .then((base) => {
        if (partition.waits.isEnded) return;
        this.#protocol.add(partition.source.partition, base);
        partition.open(base);
      })
      .catch((error: unknown) => {
        if (!isOver(error)) this.#failure = error;
      })
      .finally(() => {
        this.#locating.delete(located);
        if (this.#locating.size === 0) repeats.clear();
        this.#waits.notify();
      });
    this.#locating.add(located);
  }

  #beginAnew(number: number): void {
    const partition = this.#partitions.get(number);
    const offset = this.baseOf(number);
    if (partition === undefined || offset === null) return;
    this.#protocol.remove(number);
    partition.close();
    this.#begin(partition, { offset, metadata: "" });
  }

  #ready(): Ready<Row>[] {
    const ready: Ready<Row>[] = [];
    for (const partition of this.#partitions.values())
      if (partition.queue !== null)
        ready.push({
          partition,
          queue: partition.queue,
          isFetching: partition.fetching.isFetching,
        });
    return ready;
  }

  /** Records one batch, or waits until it is time to look again. */
  async #step(): Promise<void> {
    const host = this.#host;
    const now = host.monotonic();
    const ready = this.#ready().filter(
      ({ partition }) => partition.blockedUntil <= now,
    );
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
      return await this.#idle(leavesAt);
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
    await this.#protocol.record(entries, intendedAt);
    for (const [{ partition }] of taken) partition.waits.resolveProblem();
    this.#waits.resolveProblem();
    this.#movedAt = host.monotonic();
  }

  async #idle(leavesAt: MonotonicMs): Promise<void> {
    // There is no next intent to carry the progress, so commit it alone. Offsets without records count as done.
    const readTo = new Map<number, number>();
    let wakesAt = leavesAt;
    let isAhead = false;
    for (const { partition, queue } of this.#ready()) {
      const { source, blockedUntil } = partition;
      if (queue.size > 0) {
        if (blockedUntil > this.#host.monotonic())
          wakesAt = Math.min(wakesAt, blockedUntil);
        continue;
      }
      readTo.set(source.partition, queue.readTo);
      isAhead ||= queue.readTo > (this.baseOf(source.partition) ?? 0);
    }
    if (isAhead || !this.#protocol.isSettled)
      return await this.#protocol.settle(readTo);
    const waitMs = wakesAt - this.#host.monotonic();
    await this.#waits.untilNotified(
      waitMs === Infinity ? undefined : Math.max(waitMs, 0),
    );
  }

  #newRepeats(): BatchRepeats<Row> {
    const own = this.#sources.map(({ partition }) => partition);
    return new BatchRepeats(this.#host, own);
  }

  #newProtocol(): BatchProtocol<Row> {
    const { table, topic } = this.#host;
    const effects = batchEffects<Row>({
      host: this.#host,
      waits: this.#waits,
      linger: this.#linger,
      hold: (isHeld) => {
        for (const { partition } of this.#ready())
          partition.fetching.hold(isHeld);
      },
    });
    return new BatchProtocol({ table, topic, effects });
  }
}

/** Not a fault: the assignment is over. */
function isOver(error: unknown): boolean {
  return error instanceof Ended || error instanceof StaleAssignmentError;
}
