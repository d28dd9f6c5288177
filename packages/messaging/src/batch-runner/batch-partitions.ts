/**
 * The partitions of one assignment, and the intent protocol that they share.
 *
 * Each partition finds its beginning and repeats what was announced, by itself. Then it is ready: the protocol has its base, and its
 * queue fills. A partition whose log was cut begins anew between two batches, from the protocol's base.
 */
import { batchEffects } from "./batch-effects.ts";
import type { Source } from "./batch-gather.ts";
import { BatchPartition } from "./batch-partition.ts";
import { BatchProtocol } from "./batch-protocol.ts";
import { BatchRepeats } from "./batch-repeat.ts";
import type { InsertLinger } from "./insert-linger.ts";
import type { AssignmentHost, Position } from "./partition-host.ts";
import { isOver, type PartitionWaits } from "./partition-waits.ts";
import type { FetchedBatch, LogRange, TopicPartition } from "../ports.ts";

export interface ReadyPartition<Row> extends Source {
  readonly partition: BatchPartition<Row>;
}

export class BatchPartitions<Row> {
  readonly protocol: BatchProtocol<Row>;
  readonly #partitions: ReadonlyMap<number, BatchPartition<Row>>;
  readonly #repeats: BatchRepeats<Row>;
  /** Of the loop that takes the batches. */
  readonly #waits: PartitionWaits;
  readonly #cut = new Set<number>();
  readonly #locating = new Set<Promise<void>>();
  #failure: unknown = null;

  constructor(
    sources: readonly TopicPartition[],
    given: {
      readonly host: AssignmentHost<Row>;
      readonly waits: PartitionWaits;
      readonly linger: InsertLinger;
    },
  ) {
    const { host, waits } = given;
    const { table, topic } = host;
    this.#waits = waits;
    this.#partitions = new Map(
      sources.map((source) => [
        source.partition,
        new BatchPartition(source, host),
      ]),
    );
    this.#repeats = new BatchRepeats(host, this.#partitions.keys());
    const effects = batchEffects({
      ...given,
      hold: (isHeld) => {
        for (const { partition } of this.ready())
          partition.fetching.hold(isHeld);
      },
    });
    this.protocol = new BatchProtocol({ table, topic, effects });
  }

  /** Why one of them makes no progress; null if all do. */
  get problem(): string | null {
    for (const { source, problem } of this.#partitions.values())
      if (problem !== null) return `partition ${source.partition}: ${problem}`;
    return null;
  }

  begin(): void {
    for (const partition of this.#partitions.values())
      this.#begin(partition, null);
  }

  ready(): ReadyPartition<Row>[] {
    const ready: ReadyPartition<Row>[] = [];
    for (const partition of this.#partitions.values())
      if (partition.queue !== null)
        ready.push({
          partition,
          queue: partition.queue,
          isFetching: partition.fetching.isFetching,
        });
    return ready;
  }

  push(batch: FetchedBatch): void {
    this.#partitions.get(batch.partition)?.push(batch);
  }

  skipTo(partition: number, log: LogRange): boolean {
    return this.#partitions.get(partition)?.skipTo(log) ?? true;
  }

  /** The partition's log was cut: it begins anew at the next `betweenBatches`. */
  restart(partition: number): void {
    this.#cut.add(partition);
  }

  /** Call it between two batches. Throws what went wrong in a partition: a bug. */
  betweenBatches(): void {
    if (this.#failure !== null) throw this.#failure;
    for (const partition of this.#cut) this.#beginAnew(partition);
    this.#cut.clear();
  }

  /** Resolves once no partition looks for its beginning. */
  async located(): Promise<void> {
    await Promise.all(this.#locating);
  }

  drain(): void {
    for (const { waits } of this.#partitions.values()) waits.drain();
  }

  end(): void {
    for (const { waits } of this.#partitions.values()) waits.end();
  }

  /** Ends, and stops fetching. */
  close(): void {
    for (const partition of this.#partitions.values()) partition.close();
    this.end();
  }

  /** Lets the partition find its beginning, and takes it up when it has. */
  #begin(partition: BatchPartition<Row>, known: Position | null): void {
    const located = partition
      .locate(this.#repeats, known)
      .then((base) => {
        if (partition.waits.isEnded) return;
        this.protocol.add(partition.source.partition, base);
        partition.open(base);
      })
      .catch((error: unknown) => {
        if (!isOver(error)) this.#failure = error;
      })
      .finally(() => {
        this.#locating.delete(located);
        if (this.#locating.size === 0) this.#repeats.clear();
        this.#waits.notify();
      });
    this.#locating.add(located);
  }

  #beginAnew(number: number): void {
    const partition = this.#partitions.get(number);
    const offset = this.protocol.baseOf(number);
    if (partition === undefined || offset === undefined) return;
    this.protocol.remove(number);
    partition.close();
    this.#begin(partition, { offset, metadata: "" });
  }
}
