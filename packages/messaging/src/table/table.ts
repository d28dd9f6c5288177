/**
 * A compacted topic as a table in memory: the newest value of each key. It is read from the beginning, by the only member of a
 * group of its own that never commits.
 *
 * Invariant: once `start` has resolved, every partition was read to where it ended at the start, and the table only moves forward.
 * A batch that could not be read is a hole (table-holes.ts): the table says that it is behind, keeps its entries, and reads the
 * hole again. A record that could not be read, in a batch that could, is left out (table-entries.ts). If a partition's log is
 * replaced (the topic was made anew), the partition is read again from its start; keys that are not found again are then removed.
 */
import { randomUUID } from "node:crypto";
import { counted, type EpochMs } from "@postrider/core";
import { sleep } from "@postrider/runtime";
import {
  LONGEST_WAIT_ALONE_MS,
  type Consumer,
  type ConsumerListener,
  type FetchedBatch,
  type LogEnd,
  type LogRange,
  type TopicPartition,
} from "../ports.ts";
import { TableCurrency } from "./table-currency.ts";
import { TableEntries } from "./table-entries.ts";
import {
  isDamage,
  standsForHole,
  TableHoles,
  type Hole,
} from "./table-holes.ts";
import type {
  Table,
  TableCheck,
  TableListener,
  TableOptions,
} from "./table-options.ts";
import { TablePositions } from "./table-positions.ts";

export type { Table, TableCheck, TableListener, TableOptions };

/** The table was stopped before the awaited record had been read. */
export class TableStoppedError extends Error {
  readonly code = "TABLE_STOPPED";
}

export function createTable<T>(options: TableOptions<T>): Table<T> {
  return new CompactedTable(options);
}

const RETRY_MS = 200;
/**
 * Holes are read again after `RETRY_MS`, then less and less often, up to this, ms. All holes share these turns, also one that opens
 * later: each turn reads all of them, and the table is behind until the last is closed.
 */
const LONGEST_REREAD_MS = 60_000;
const WAYS_OUT = "see docs/guarantees.md, 'A table with a hole'";
/** What an operator does about a hole that may be damage of one replica. */
const DAMAGED_TODO = `Let a replica that is whole lead the partition: the table then reads these offsets by itself. If none is whole, ${WAYS_OUT}.`;
/** What an operator does about a hole that its producer wrote. */
const WRITTEN_TODO = `Every replica has the same bytes, as their producer wrote them. The log must begin behind these offsets: ${WAYS_OUT}. Only control should have the right to write here.`;
/** How long a place is waited for before it is asked again whether the log reaches so far, ms. */
const ASK_ANEW_MS = 5_000;

class CompactedTable<T> implements Table<T>, ConsumerListener {
  readonly #options: TableOptions<T>;
  readonly #entries: TableEntries<T>;
  readonly #positions = new TablePositions();
  readonly #holes = new TableHoles();
  readonly #closing = new AbortController();
  readonly #loaded = Promise.withResolvers<void>();
  readonly #currency: TableCurrency;
  #consumer: Consumer | null = null;
  #epoch = -1;
  #isLoaded = false;
  #isRereading = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TableOptions<T>) {
    this.#options = options;
    this.#entries = new TableEntries(options);
    this.#currency = new TableCurrency({
      ...options,
      isReadToEnd: async () => this.#isReadTo(await this.#endsOnce()),
      isWhole: () => this.#positions.isComplete() && this.#lack() === null,
    });
    // If the table is stopped before it was started, nobody waits for this promise: its rejection must not end the process.
    this.#loaded.promise.catch(() => undefined);
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<[string, T]> {
    return this.#entries.entries();
  }

  get size(): number {
    return this.#entries.size;
  }

  onChange(listener: TableListener<T>): () => void {
    return this.#entries.onChange(listener);
  }

  async start(): Promise<void> {
    if (this.#consumer === null && !this.#isStopped) {
      const { kafka, topic, sessionTimeoutMs } = this.#options;
      this.#consumer = kafka.consumer({
        groupId: `${topic}.table.${randomUUID()}`,
        topics: [topic],
        // A fetch returns at once if there is a change, so a long wait delays nothing. It saves requests: every process reads several tables.
        maxWaitMs: LONGEST_WAIT_ALONE_MS,
        ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
      });
      // Do not await it: `start` waits for the load, not for the consumer.
      this.#consumer.start(this).catch((error: unknown) => {
        this.#loaded.reject(error);
      });
    }
    await this.#loaded.promise;
  }

  async stop(deadline: EpochMs): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.#currency.stop();
    const error = new TableStoppedError(
      `table ${this.#options.topic} is stopped`,
    );
    this.#loaded.reject(error);
    this.#positions.fail(error);
    await this.#consumer?.stop(deadline);
  }

  readTo(place: { partition: number; offset: number }): Promise<void> {
    return this.#isStopped
      ? Promise.reject(new TableStoppedError("the table is stopped"))
      : this.#positions.reached(place.partition, place.offset + 1);
  }

  async readToEnd(): Promise<void> {
    await this.start();
    const isWanted = (): boolean => !this.#isStopped;
    while (isWanted()) {
      const ends = await this.#answered(() => this.#endsOnce(), isWanted);
      if (ends !== null && (await this.#isReadTo(ends))) return;
    }
    throw new TableStoppedError("the table is stopped");
  }

  /**
   * Whether all that these logs held has been read within a while. If not, ask anew: a log can end before the place that was
   * asked for, once its leader has died or its topic was replaced, and nobody would ever get there.
   */
  async #isReadTo(ends: readonly LogEnd[]): Promise<boolean> {
    const { clock } = this.#options;
    const askedAt = clock.monotonic();
    const givenUp = new AbortController();
    const late = setInterval(() => {
      if (clock.monotonic() - askedAt > ASK_ANEW_MS) givenUp.abort();
    }, RETRY_MS);
    try {
      await Promise.all(
        ends.map(({ partition, end }) =>
          this.#positions.reached(partition, end, givenUp.signal),
        ),
      );
      return true;
    } catch (error) {
      if (givenUp.signal.aborted) return false;
      throw error;
    } finally {
      clearInterval(late);
    }
  }

  health(): { ready: TableCheck[]; live: TableCheck[] } {
    const problem = this.behind();
    const name = `table ${this.#options.topic}`;
    const detail = problem ?? counted(this.size, "entry", "entries");
    // A dependency's fault must not fail liveness. A consumer that does not read shows in `behind`, too.
    return { ready: [{ name, isOk: problem === null, detail }], live: [] };
  }

  behind(): string | null {
    const { topic } = this.#options;
    if (!this.#isLoaded) return `${topic} has not been read to its end yet`;
    if (!this.#positions.isComplete())
      return `${topic} has a partition that is being read from its start`;
    const lack = this.#lack();
    if (lack !== null) return `${topic} ${lack}`;
    const behindMs = this.#currency.behindMs();
    return behindMs === null
      ? null
      : `${topic} was last read to its end ${Math.round(behindMs)} ms ago; ${this.size} entries, as they were`;
  }

  ageMs(): number {
    return this.#currency.ageMs();
  }

  /** What of the records that were read is missing, as a sentence; null if nothing is. */
  #lack(): string | null {
    return this.#holes.describe() ?? this.#entries.describeWaiting();
  }

  // ConsumerListener: called by the consumer.

  assigned(epoch: number, partitions: readonly TopicPartition[]): void {
    this.#epoch = epoch;
    void this.#place(epoch, partitions);
  }

  /** There is nothing to commit. */
  revoking(): void {}

  batch(epoch: number, batch: FetchedBatch): void {
    if (epoch !== this.#epoch) return;
    const { partition } = batch;
    const hadHole = this.#holes.has(partition);
    const opened = this.#holes.read(batch);
    const hasHole = this.#holes.has(partition);
    const generation = this.#positions.generation(partition);
    for (const record of batch.records)
      if (!standsForHole(record))
        this.#entries.read(record, generation, hadHole || hasHole);
    for (const hole of opened) this.#holeOpened(batch, hole);
    this.#positions.advance(partition, batch.lastOffset + 1);
    if (hadHole && !hasHole) this.#holesClosed(partition);
    this.#settle();
  }

  outOfRange(epoch: number, partition: TopicPartition): void {
    void this.#place(epoch, [partition]);
  }

  /** A lost connection shows in `behind`, after five seconds. */
  connected(): void {}

  /** Seeks and resumes partitions: at their position, or at the log's start if the position lies outside the log. */
  async #place(
    epoch: number,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const askedAt = this.#options.clock.monotonic();
    const ranges = await this.#answered(
      () => this.#rangesOnce(partitions),
      () => epoch === this.#epoch && !this.#isStopped,
    );
    if (ranges === null) return;
    for (const range of ranges) {
      const position = this.#positions.place(range, askedAt);
      if (position.isAnew) {
        this.#holes.forget(range.partition);
        this.#options.log.warn("table.readAnew", {
          topic: range.topic,
          partition: range.partition,
          logStart: range.start,
          logEnd: range.end,
        });
      }
      this.#consumer?.seek(range, position.offset);
    }
    this.#consumer?.resume(ranges);
    this.#settle();
  }

  /** Asks until Kafka answers; null once `isWanted` returns false. */
  async #answered<A>(
    ask: () => Promise<A>,
    isWanted: () => boolean,
  ): Promise<A | null> {
    while (isWanted()) {
      try {
        const answer = await ask();
        return isWanted() ? answer : null;
      } catch (error) {
        this.#options.log.debug("table.rangesFailed", {
          topic: this.#options.topic,
          error: String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return null;
  }

  async #rangesOnce(
    partitions: readonly TopicPartition[],
  ): Promise<LogRange[]> {
    return allLed(partitions, await this.#consumer!.fetchLogRanges(partitions));
  }

  /** Throws if a log ends below our position, because its topic was replaced or it was cut: what it holds now has not been read. A fetch will find that out, too, and the partition is then read anew. */
  async #endsOnce(): Promise<LogEnd[]> {
    const partitions = this.#all();
    const before = this.#positions.nexts();
    const asked = this.#consumer!.fetchLogEnds(partitions);
    const ends = allLed(partitions, await asked);
    for (const { topic, partition, end } of ends)
      if (end < (before.get(partition) ?? 0))
        throw new Error(
          `${topic}:${partition} ends at ${end}, and was read to ${before.get(partition)}`,
        );
    return ends;
  }

  #all(): TopicPartition[] {
    const { topic } = this.#options;
    return this.#positions
      .partitions()
      .map((partition) => ({ topic, partition }));
  }

  /**
   * Call after any progress; while records wait for their schema it calls itself every `RETRY_MS`. Removes keys that a partition
   * read anew no longer has, decodes again what waits for its schema, and resolves `start` once everything has been read and
   * nothing waits.
   */
  #settle(): void {
    for (const [partition, generation] of this.#positions.takeCompleted())
      // What stands in a hole was not looked for: it may be there.
      if (!this.#holes.has(partition))
        this.#entries.dropOlder(partition, generation);
    this.#entries.count();
    if (this.#entries.retryWaiting()) this.#retrySoon();
    else if (!this.#isLoaded && this.#positions.isComplete()) {
      this.#isLoaded = true;
      this.#currency.start(this.#positions.endsAskedAt());
      this.#options.log.info("table.loaded", {
        topic: this.#options.topic,
        entries: this.size,
      });
      this.#loaded.resolve();
    }
  }

  #holeOpened({ topic, partition }: TopicPartition, hole: Hole): void {
    const { first, last, reason, why } = hole;
    this.#entries.countUnreadable();
    this.#options.log.error("table.holeOpened", {
      topic,
      partition,
      firstOffset: first,
      lastOffset: last,
      why,
      todo: isDamage(reason) ? DAMAGED_TODO : WRITTEN_TODO,
    });
    if (!this.#isRereading) void this.#rereadUntilClosed();
  }

  /** Nothing of the partition is unread any more. */
  #holesClosed(partition: number): void {
    const { topic, log } = this.#options;
    log.info("table.holeClosed", { topic, partition });
    this.#entries.forgetDeleted(partition);
    if (this.#positions.isCompleted(partition))
      this.#entries.dropOlder(partition, this.#positions.generation(partition));
  }

  /** Reads holes again until there is none: another replica, which is whole, may lead by then, or the log may begin behind them. */
  async #rereadUntilClosed(): Promise<void> {
    const { signal } = this.#closing;
    this.#isRereading = true;
    let waitMs = RETRY_MS;
    while (!this.#holes.isEmpty && !signal.aborted) {
      await sleep(waitMs, { signal });
      waitMs = Math.min(waitMs * 2, LONGEST_REREAD_MS);
      if (!signal.aborted) await this.#rereadHoles(this.#epoch);
    }
    this.#isRereading = false;
  }

  async #rereadHoles(epoch: number): Promise<void> {
    const { topic, log } = this.#options;
    try {
      const holed = this.#holes.partitions();
      const ranges = await this.#rangesOnce(
        holed.map((partition) => ({ topic, partition })),
      );
      if (epoch !== this.#epoch || this.#isStopped) return;
      for (const range of ranges) {
        this.#holes.cutBelow(range.partition, range.start);
        const first = this.#holes.firstOf(range.partition);
        if (first === null) this.#holesClosed(range.partition);
        else this.#consumer?.seek(range, first);
      }
    } catch (error) {
      log.debug("table.rangesFailed", { topic, error: String(error) });
    }
  }

  #retrySoon(): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#settle(), RETRY_MS);
  }
}

/** A partition without a leader is missing in an answer. Without this check the table would count as loaded, and the keys of that partition would count as deleted. */
function allLed<A extends TopicPartition>(
  asked: readonly TopicPartition[],
  answered: A[],
): A[] {
  if (answered.length < asked.length)
    throw new Error("a partition has no leader");
  return answered;
}
