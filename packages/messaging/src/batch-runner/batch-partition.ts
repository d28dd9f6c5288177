/**
 * One partition of one assignment: where it begins, its queue and its waits.
 *
 *     locate → repeat its stored intent, if any → (ready) fetch into the queue, from which the assignment takes its batches
 */
import type { MonotonicMs } from "@postrider/core";
import { BatchFetching } from "./batch-fetching.ts";
import { mendPatiently } from "./batch-insert.ts";
import { rowsOf, widened } from "./batch-entry.ts";
import { BatchQueue } from "./batch-queue.ts";
import type { BatchRepeats } from "./batch-repeat.ts";
import { planBatchStart } from "./batch-start.ts";
import type { BatchStart } from "./batch-start.ts";
import { encodeIntent, rangeIn } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";
import type { AssignmentHost, Position } from "./partition-host.ts";
import { PartitionWaits } from "./partition-waits.ts";
import type { FetchedBatch, LogRange, TopicPartition } from "../ports.ts";

export class BatchPartition<Row> {
  readonly source: TopicPartition;
  readonly waits: PartitionWaits;
  readonly fetching: BatchFetching;
  /** Until then its head waits for a schema. */
  blockedUntil: MonotonicMs = -Infinity;
  readonly #host: AssignmentHost<Row>;
  #queue: BatchQueue | null = null;

  constructor(source: TopicPartition, host: AssignmentHost<Row>) {
    this.source = source;
    this.#host = host;
    this.waits = new PartitionWaits({
      monotonic: () => host.monotonic(),
      random: () => host.random(),
      waiting: (problem, needsOperator) =>
        host.report(source, { kind: "waiting", problem, needsOperator }),
      healed: (problem) => host.report(source, { kind: "healed", problem }),
    });
    this.fetching = new BatchFetching(
      {
        limits: host.limits,
        pause: () => host.pause(source),
        resume: () => host.resume(source),
        seek: (offset) => host.seek(source, offset),
      },
      () => this.waits.isEnded || this.waits.isDraining,
    );
  }

  /** Its records, from its base on; null until it is ready. */
  get queue(): BatchQueue | null {
    return this.#queue;
  }

  /** Why the partition makes no progress, for readiness; null if it does. */
  get problem(): string | null {
    if (this.waits.problem !== null) return this.waits.problem;
    return this.#queue === null ? "reading its position" : null;
  }

  /**
   * Finds where to begin, and repeats what was announced. Returns the base: every record below it is recorded. `known` is our last
   * commit; it is given if the stored offset was overwritten. Throws `Ended`.
   */
  async locate(
    repeats: BatchRepeats<Row>,
    known: Position | null,
  ): Promise<number> {
    const stored =
      known ??
      (await this.waits.persist(() => this.#host.fetchCommitted(this.source)));
    const log = await this.waits.persist(() =>
      this.#host.fetchLogRange(this.source),
    );
    const start = planBatchStart(this.source.partition, stored, log);
    this.#host.report(this.source, { kind: "started", start });
    const { intent } = start;
    if (intent === null) {
      // Whoever begins next does not find the same fault again.
      if (known !== null || start.faults.length > 0)
        await this.#commit(start.base, null);
      return start.base;
    }
    // The commit that holds an intent stays as it is, even below the log's start: beside a higher offset nobody would believe the intent.
    return await this.#repeat(repeats, { ...start, intent });
  }

  /** Begins to fetch. What it waited for before is no longer its head. */
  open(base: number): void {
    this.blockedUntil = -Infinity;
    this.waits.resolveProblem();
    this.#queue = new BatchQueue(base);
    this.fetching.begin(this.#queue, base);
  }

  /** Stops fetching and forgets its queue; `locate` follows. */
  close(): void {
    this.#queue = null;
    this.fetching.end();
  }

  push(batch: FetchedBatch): void {
    if (this.waits.isEnded || this.#queue === null) return; // fetched before our seek
    if (batch.fetchOffset > this.#queue.readTo) {
      // Fetched for a position from before our seek: taking this batch would skip the offsets in between.
      this.#host.seek(this.source, this.#queue.readTo);
      return;
    }
    this.#queue.push(batch, this.#host.monotonic());
    this.fetching.regulate();
  }

  /**
   * The log's start has passed our position while we waited: fetching goes on there, and queued records stay. The stored commit is still
   * ours (docs/kafkajs.md, "Positions outside the log"). False, and nothing is fetched, if the log ends before our position.
   */
  skipTo({ start, end }: LogRange): boolean {
    if (this.waits.isEnded || this.#queue === null) return true;
    const from = this.#queue.readTo;
    if (from > end) return false;
    if (start > from)
      this.#host.report(this.source, { kind: "lost", from, to: start });
    this.#queue.skipTo(start);
    this.#host.seek(this.source, this.#queue.readTo);
    // The consumer paused the partition when it reported this.
    this.fetching.wasPaused();
    return true;
  }

  async #commit(offset: number, intent: Intent | null): Promise<void> {
    const metadata = intent === null ? "" : encodeIntent(intent);
    const commit = { ...this.source, offset, metadata };
    await this.waits.persist(() => this.#host.commit([commit]));
  }

  async #repeat(
    repeats: BatchRepeats<Row>,
    start: BatchStart & { readonly intent: Intent },
  ): Promise<number> {
    const { source, waits } = this;
    const { intent, base } = start;
    const host = this.#host;
    const repeated = await repeats.repeat(intent, waits);
    waits.throwIfEnded();
    if (repeated.kind === "refused") return base;
    const readTo = repeated.readTo.get(source.partition);
    if (readTo === undefined) {
      host.report(source, { kind: "intent_foreign", intent });
      return base;
    }

    const own = repeated.entries.filter(
      ({ raw }) => raw.partition === source.partition && raw.offset >= base,
    );
    const rows = rowsOf(own, intent.intendedAt, host.reducedRowOf);
    if (rows.length > 0)
      await mendPatiently(
        { rows, token: repeated.token },
        { host, waits, hold: () => undefined },
      );
    const losers = own.filter((entry) => entry.kind === "refused");
    if (losers.length > 0) {
      // A record may be refused now that was not then (its schema never came): it stays refused from now on, whoever repeats this again.
      const wider = widened(intent, source.partition, losers);
      if (wider !== null)
        await this.#commit(
          Math.min(base, rangeIn(intent, source.partition)!.first),
          wider,
        );
      await waits.whileWaiting(() => host.refuse(losers, intent.intendedAt));
      waits.throwIfEnded();
    }
    waits.resolveProblem();
    // Not the end that the log had before the repeat: a log that was cut may have grown since, and what the repeat saw is recorded.
    return Math.max(base, readTo);
  }
}
