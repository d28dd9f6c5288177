/**
 * A fake of one member of one group, with the group's commits and its logs in memory, for unit tests of runners and tables.
 * It behaves as the Consumer port promises: a commit of an assignment that has ended is refused, and a position outside the
 * log is reported. Do not use it to test what Kafka does.
 */
import {
  lastOffsetOf,
  StaleAssignmentError,
  type CommittedOffset,
  type Consumer,
  type ConsumerListener,
  type FetchedBatch,
  type LogEnd,
  type LogRange,
  type RawRecord,
  type TopicPartition,
} from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";

export type FakeCommit = Parameters<Consumer["commit"]>;

export interface FakeConsumerOptions {
  readonly topic: string;
  readonly clock: Clock;
  /** Fetches and sends heartbeats by itself. Default: only when the test calls `deliver` and sets `heartbeatAt`. */
  readonly isSelfMoving?: boolean;
  /** The most records in a fetch of one partition. Default 500. */
  readonly fetchRecords?: number;
}

export class FakeConsumer implements Consumer {
  readonly #options: FakeConsumerOptions;
  listener: ConsumerListener | null = null;
  /** The number of the current assignment; 0 before the first. */
  epoch = 0;
  readonly logs = new Map<number, RawRecord[]>();
  /** The first offset of each log; 0 unless set. */
  readonly logStart = new Map<number, number>();
  /** The group's stored commits, by partition. */
  readonly stored = new Map<number, { offset: number; metadata: string }>();
  /** The offset at which the next fetch of each partition begins. */
  readonly positions = new Map<number, number>();
  readonly paused = new Set<number>();
  readonly seeks: [partition: number, offset: number][] = [];
  /** Every commit that was sent, including those that were refused. */
  readonly commits: FakeCommit[] = [];
  /** The calls of `pause`, `commit` and `stop`, in order. */
  readonly calls: string[] = [];
  /** When the coordinator acknowledged the last heartbeat. Infinity: it always has just done so. */
  heartbeatAt: number;
  /** While this is set, commits are answered only when it settles: stored, or refused with its error. */
  commitGate: Promise<void> | null = null;
  /** While this is set, `fetchCommitted` answers only when it settles, and rejects if it rejects. */
  fetchGate: Promise<void> | null = null;
  isLeaving = false;
  /** Whether all members of the group have the ability that an assignment tells of. */
  allAble = true;
  isStopped = false;
  /** The timestamp of records that are appended from now on; null: 1,000 plus the offset. */
  writtenAt: number | null = null;

  constructor(options: FakeConsumerOptions) {
    this.#options = options;
    this.heartbeatAt =
      options.isSelfMoving === true ? Infinity : options.clock.monotonic();
  }

  /** Appends records with these values. Returns the offset of the last. */
  append(partition: number, ...values: (string | null)[]): number {
    for (const value of values)
      this.appendAt(partition, this.end(partition), value);
    return this.end(partition) - 1;
  }

  /** Appends one record at an offset that may leave a gap, as compaction does. */
  appendAt(partition: number, offset: number, value: string | null): void {
    this.log(partition).push({
      ...this.#at(partition),
      offset,
      timestamp: this.writtenAt ?? 1000 + offset,
      key: Buffer.from("key"),
      value: value === null ? null : Buffer.from(value),
      headers: {},
    });
    this.#fetchSoon();
  }

  /** Appends the record that a consumer delivers in place of an unreadable batch of `count` records. */
  appendUnreadable(partition: number, count: number): void {
    const offset = this.end(partition);
    this.log(partition).push(this.unreadable(partition, offset, count));
    this.#fetchSoon();
  }

  unreadable(partition: number, offset: number, count: number): RawRecord {
    const lastOffset = offset + count - 1;
    return {
      ...this.#at(partition),
      offset,
      timestamp: 1000 + offset,
      key: null,
      value: Buffer.from("its bytes"),
      headers: {},
      unreadable: {
        lastOffset,
        reason: "checksum",
        detail: `offsets ${offset} to ${lastOffset}`,
      },
    };
  }

  log(partition: number): RawRecord[] {
    let log = this.logs.get(partition);
    if (log === undefined) this.logs.set(partition, (log = []));
    return log;
  }

  /** The offset after the last record. */
  end(partition: number): number {
    const last = this.log(partition).at(-1);
    return last === undefined
      ? (this.logStart.get(partition) ?? 0)
      : lastOffsetOf(last) + 1;
  }

  /** Makes a new assignment of these partitions. */
  assign(...partitions: readonly number[]): void {
    this.epoch++;
    this.positions.clear();
    for (const partition of partitions) this.paused.add(partition);
    this.listener!.connected(true);
    this.listener!.assigned(
      this.epoch,
      partitions.map((partition) => this.#at(partition)),
      this.allAble,
    );
  }

  /** Announces a rebalance. */
  revoke(): void {
    this.listener!.revoking(this.epoch);
  }

  /** Fetches once from each partition that is not paused, at its position. Returns true if there were records. */
  deliver(most = this.#options.fetchRecords ?? 500): boolean {
    let any = false;
    for (const [partition, position] of this.positions)
      any = this.#deliver(partition, position, most) || any;
    return any;
  }

  start(listener: ConsumerListener): Promise<void> {
    this.listener = listener;
    return Promise.resolve();
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.calls.push("pause");
    for (const { partition } of partitions) this.paused.add(partition);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.paused.delete(partition);
    this.#fetchSoon();
  }

  seek({ partition }: TopicPartition, offset: number): void {
    this.seeks.push([partition, offset]);
    this.positions.set(partition, offset);
    this.#fetchSoon();
  }

  async commit(...commit: FakeCommit): Promise<void> {
    this.commits.push(commit);
    this.calls.push("commit");
    const [epoch, offsets] = commit;
    if (epoch !== this.epoch || this.isStopped)
      throw new StaleAssignmentError(`Assignment ${epoch} has ended.`);
    await this.commitGate;
    for (const { partition, offset, metadata } of offsets)
      this.stored.set(partition, { offset, metadata });
  }

  async fetchCommitted(
    partitions: readonly TopicPartition[],
  ): Promise<CommittedOffset[]> {
    await this.fetchGate;
    return partitions.map(({ partition }) => ({
      ...this.#at(partition),
      offset: null,
      metadata: "",
      ...this.stored.get(partition),
    }));
  }

  fetchLogRanges(partitions: readonly TopicPartition[]): Promise<LogRange[]> {
    return Promise.resolve(
      partitions.map(({ partition }) => ({
        ...this.#at(partition),
        start: this.logStart.get(partition) ?? 0,
        end: this.end(partition),
      })),
    );
  }

  async fetchLogEnds(partitions: readonly TopicPartition[]): Promise<LogEnd[]> {
    const ranges = await this.fetchLogRanges(partitions);
    return ranges.map(({ topic, partition, end }) => ({
      topic,
      partition,
      end,
    }));
  }

  fetchOnce(
    ...[{ partition }, offset]: Parameters<Consumer["fetchOnce"]>
  ): Promise<FetchedBatch | null> {
    const records = this.log(partition)
      .filter((record) => lastOffsetOf(record) >= offset)
      .slice(0, this.#options.fetchRecords ?? 500);
    const last = records.at(-1);
    if (last === undefined) return Promise.resolve(null);
    return Promise.resolve({
      ...this.#at(partition),
      fetchOffset: offset,
      records,
      lastOffset: lastOffsetOf(last),
      highWatermark: this.end(partition),
    });
  }

  fetchOffsetAt(
    { partition }: TopicPartition,
    at: number,
  ): Promise<number | null> {
    const found = this.log(partition).find(({ timestamp }) => timestamp >= at);
    return Promise.resolve(found?.offset ?? null);
  }

  lastHeartbeatAt(): number {
    return Math.min(this.heartbeatAt, this.#options.clock.monotonic());
  }

  lastFetchAt(): number {
    return this.#options.clock.monotonic();
  }

  beginLeaving(): void {
    this.isLeaving = true;
  }

  stop(): Promise<void> {
    this.calls.push("stop");
    this.isStopped = true;
    return Promise.resolve();
  }

  #deliver(partition: number, position: number, most: number): boolean {
    const end = this.end(partition);
    if (this.paused.has(partition) || position === end) return false;
    if (position < (this.logStart.get(partition) ?? 0) || position > end) {
      this.paused.add(partition);
      this.positions.delete(partition);
      this.listener!.outOfRange(this.epoch, this.#at(partition));
      return false;
    }
    const records = this.log(partition)
      .filter((record) => lastOffsetOf(record) >= position)
      .slice(0, most);
    const lastOffset = lastOffsetOf(records.at(-1)!);
    this.positions.set(partition, lastOffset + 1);
    this.listener!.batch(this.epoch, {
      ...this.#at(partition),
      fetchOffset: position,
      records,
      lastOffset,
      highWatermark: end,
    });
    return true;
  }

  /** If it fetches by itself: fetches until nothing is left. */
  #fetchSoon(): void {
    if (this.#options.isSelfMoving !== true) return;
    const { epoch } = this;
    setImmediate(() => {
      if (epoch !== this.epoch || this.isStopped) return;
      if (this.deliver()) this.#fetchSoon();
    });
  }

  #at(partition: number): TopicPartition {
    return { topic: this.#options.topic, partition };
  }
}
