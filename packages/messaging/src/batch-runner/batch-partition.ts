/**
 * The loop of one partition under one assignment: locate → repeat the stored intent, if any → gather → record → settle, until it ends.
 *
 * The loop ends in two ways. `end` (the assignment is over): nothing more is committed; an insert in flight may finish, because the
 * next owner repeats it under the same token. `drain` (a clean stop): the current batch is finished and committed; if it waits for a
 * fault to pass, it is given up, and the next owner repeats its intent.
 */
import type { MonotonicMs } from "@postrider/core";
import { BatchFetching } from "./batch-fetching.ts";
import type { PartitionHost, Position } from "./partition-host.ts";
import { insertPatiently } from "./batch-insert.ts";
import { BatchProtocol } from "./batch-protocol.ts";
import type { BatchEffects, BatchEntry } from "./batch-protocol.ts";
import { BatchQueue } from "./batch-queue.ts";
import { planBatchStart } from "./batch-start.ts";
import { InsertLinger } from "./insert-linger.ts";
import { encodeIntent, isOfAnotherLog } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";
import { Ended, PartitionWaits } from "./partition-waits.ts";
import { StaleAssignmentError } from "../ports.ts";
import type { FetchedBatch, TopicPartition } from "../ports.ts";
import type { RawRecord } from "../record.ts";

export class BatchPartition<Row> {
  readonly source: TopicPartition;
  /** Resolves when the loop has ended; never rejects. */
  readonly done: Promise<void>;
  readonly #host: PartitionHost<Row>;
  readonly #waits: PartitionWaits;
  readonly #fetching: BatchFetching;
  #known: Position | null;
  #queue = new BatchQueue(0);
  #protocol: BatchProtocol<Row> | null = null;
  #lastCommit: Position | null = null;
  readonly #linger: InsertLinger;
  #movedAt: MonotonicMs;

  /** `known` is our last commit; it is given if the stored offset was overwritten. Null: ask the group. */
  constructor(
    source: TopicPartition,
    host: PartitionHost<Row>,
    known: Position | null = null,
  ) {
    this.source = source;
    this.#host = host;
    this.#known = known;
    this.#movedAt = host.monotonic();
    this.#linger = new InsertLinger(host.limits.lingerMs, () =>
      host.monotonic(),
    );
    this.#waits = new PartitionWaits({
      monotonic: () => host.monotonic(),
      random: () => host.random(),
      waiting: (problem, needsOperator) =>
        host.report({ kind: "waiting", problem, needsOperator }),
      healed: (problem) => host.report({ kind: "healed", problem }),
    });
    this.#fetching = new BatchFetching(
      host,
      () => this.#waits.isEnded || this.#waits.isDraining,
    );
    this.done = this.#run().finally(() => this.#waits.end());
  }

  /** Why the partition makes no progress, for readiness; null if it does. */
  get problem(): string | null {
    if (this.#waits.problem !== null) return this.#waits.problem;
    return this.#protocol === null ? "reading its position" : null;
  }

  /** For how long the loop has had records and nothing to wait for, and made no progress, ms. Only a bug makes this grow. */
  stuckMs(): number {
    const isExcused =
      this.#waits.isEnded ||
      this.#waits.problem !== null ||
      this.#waits.isOutside ||
      this.#queue.size === 0;
    return isExcused ? 0 : this.#host.monotonic() - this.#movedAt;
  }

  /** The first offset that is not recorded yet; null until it is known. */
  get base(): number | null {
    return this.#protocol?.base ?? null;
  }

  /** The commit that the group should have stored; null until it is known. */
  get lastCommit(): Position | null {
    return this.#lastCommit;
  }

  push(batch: FetchedBatch): void {
    if (this.#waits.isEnded || this.#protocol === null) return; // fetched before our seek
    if (batch.fetchOffset > this.#queue.readTo) {
      // Fetched for a position from before our seek: taking this batch would skip the offsets in between.
      this.#host.seek(this.#queue.readTo);
      return;
    }
    const now = this.#host.monotonic();
    if (this.#queue.size === 0) this.#movedAt = now;
    this.#queue.push(batch, now);
    this.#fetching.regulate();
    this.#waits.notify();
  }

  /** The log's start has passed our position while we waited: fetching goes on there, and queued records stay. The stored commit was overwritten by kafkajs, so commit ours again. */
  async skipTo(start: number): Promise<void> {
    if (this.#waits.isEnded || this.#protocol === null) return;
    const from = this.#queue.readTo;
    if (start > from) this.#host.report({ kind: "lost", from, to: start });
    this.#queue.skipTo(start);
    this.#host.seek(this.#queue.readTo);
    // The consumer paused the partition when it reported this.
    this.#fetching.wasPaused();
    this.#waits.notify();
    const last = this.#lastCommit;
    if (last?.offset != null) await this.#commit(last.offset, last.metadata);
  }

  drain(): void {
    this.#waits.drain();
  }

  end(): void {
    this.#waits.end();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // so that the constructor returns first
    for (let failures = 1; ; failures++) {
      try {
        await this.#locateAndRecord();
        return;
      } catch (error) {
        if (error instanceof Ended || error instanceof StaleAssignmentError)
          return;
        // A bug. The stored commit is still right: begin again from there.
        this.#host.report({ kind: "failed", error });
        this.#protocol = null;
        this.#fetching.end();
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

  async #locateAndRecord(): Promise<void> {
    const { start, protocol } = await this.#locate();
    if (start.intent !== null)
      await this.#repeat(protocol, start.intent, start.intentEnd);
    while (!this.#waits.isDraining) {
      const entries = await this.#nextBatch(protocol);
      if (entries === null) continue;
      await protocol.record(entries);
      this.#moved();
    }
    await protocol.settle(protocol.base);
  }

  async #locate() {
    const stored =
      this.#known ??
      (await this.#waits.persist(() => this.#host.fetchCommitted()));
    const log = await this.#waits.persist(() => this.#host.fetchLogRange());
    const start = planBatchStart(stored, log);
    this.#host.report({ kind: "started", start });
    const metadata = start.intent === null ? "" : encodeIntent(start.intent);
    // If the stored offset lies outside the log, kafkajs sooner or later replaces it with one of its own: commit ours first.
    if (this.#known !== null || start.faults.length > 0)
      await this.#commit(start.base, metadata);
    this.#lastCommit = { offset: start.base, metadata };
    this.#queue = new BatchQueue(start.base);
    const protocol = new BatchProtocol<Row>({
      table: this.#host.table,
      source: this.source,
      base: start.base,
      isSettled: start.base === stored.offset && stored.metadata === "",
      effects: this.#effects(),
    });
    this.#protocol = protocol;
    this.#known = null;
    this.#fetching.begin(this.#queue, start.base, start.intentEnd);
    return { start, protocol };
  }

  async #repeat(
    protocol: BatchProtocol<Row>,
    intent: Intent,
    end: number,
  ): Promise<void> {
    while (this.#queue.readTo <= end) {
      if (this.#waits.isDraining) throw new Ended();
      await this.#waits.untilNotified();
    }
    this.#fetching.gathered();
    const records = this.#queue.records.filter(({ offset }) => offset <= end);
    if (records.length > 0 && isOfAnotherLog(intent, records[0]!)) {
      this.#host.report({ kind: "intent_foreign", intent });
      return;
    }
    const entries = await this.#judgeAll(records);
    await protocol.repeat(entries, intent, end);
    this.#queue.drop(records.length, this.#host.monotonic());
    this.#moved();
    this.#fetching.regulate();
  }

  async #judgeAll(records: readonly RawRecord[]): Promise<BatchEntry<Row>[]> {
    const entries: BatchEntry<Row>[] = [];
    while (entries.length < records.length) {
      const judged = this.#host.judge(records.slice(entries.length));
      for (const entry of judged.entries) entries.push(entry);
      if (judged.waitsFor !== null) await this.#waitForSchema(judged.waitsFor);
    }
    return entries;
  }

  /** The next entries to record, or null when it is time to look again. */
  async #nextBatch(
    protocol: BatchProtocol<Row>,
  ): Promise<readonly BatchEntry<Row>[] | null> {
    const { maxRecords, maxBytes } = this.#host.limits;
    const queue = this.#queue;
    const count = queue.countOfBatch(maxRecords, maxBytes);
    // While fetching is paused no record would join the batch, so there is no reason to linger.
    const isFull =
      count === maxRecords ||
      count < queue.size ||
      queue.bytes >= maxBytes ||
      !this.#fetching.isFetching;
    const { headSince } = queue;
    const leavesAt = headSince + this.#linger.msFrom(headSince);
    const waitMs = leavesAt - this.#host.monotonic();
    if (count === 0 || (!isFull && waitMs > 0)) {
      // There is no next intent to carry the progress, so commit it alone. Offsets without records count as done.
      const readTo = count === 0 ? queue.readTo : protocol.base;
      if (!protocol.isSettled || readTo > protocol.base)
        await protocol.settle(readTo);
      else await this.#waits.untilNotified(count === 0 ? undefined : waitMs);
      return null;
    }
    const judged = this.#host.judge(queue.records.slice(0, count));
    if (judged.entries.length === 0 && judged.waitsFor !== null) {
      await protocol.settle(protocol.base);
      await this.#waitForSchema(judged.waitsFor);
      return null;
    }
    queue.drop(judged.entries.length, this.#host.monotonic());
    this.#fetching.regulate();
    return judged.entries;
  }

  async #waitForSchema(schema: string): Promise<void> {
    this.#waits.reportProblem(`waits for schema ${schema}`, false);
    await this.#waits.sleep(this.#host.limits.schemaPollMs);
  }

  #effects(): BatchEffects<Row> {
    const host = this.#host;
    const { reducedRowOf } = host;
    const timed: PartitionHost<Row> = {
      ...host,
      insert: (rows, token) =>
        this.#linger.time(() => host.insert(rows, token)),
    };
    return {
      now: () => host.now(),
      commit: (offset, intent) =>
        this.#commit(offset, intent === null ? "" : encodeIntent(intent)),
      insert: (rows, token, isInDoubt) =>
        insertPatiently(
          { rows, token, isInDoubt },
          {
            host: timed,
            waits: this.#waits,
            hold: (isHeld) => this.#fetching.hold(isHeld),
          },
        ),
      refuse: async (entries, at) => {
        await this.#waits.whileWaiting(() => host.refuse(entries, at));
        this.#waits.throwIfEnded();
      },
      ...(reducedRowOf === undefined ? {} : { reducedRowOf }),
      waitForTable: async (detail) => {
        this.#waits.reportProblem(detail, true);
        await this.#waits.backOff(Infinity);
      },
    };
  }

  async #commit(offset: number, metadata: string): Promise<void> {
    this.#waits.throwIfEnded();
    this.#lastCommit = { offset, metadata };
    await this.#waits.persist(() => this.#host.commit(offset, metadata));
  }

  #moved(): void {
    this.#waits.resolveProblem();
    this.#movedAt = this.#host.monotonic();
  }
}
