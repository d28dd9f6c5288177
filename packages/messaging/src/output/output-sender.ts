/** Sends one batch after another and retries each until the broker has all of it. Owns the producer of output.ts. */
import type { DeadLetter, EpochMs, MonotonicMs } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import {
  sleep,
  within,
  type Clock,
  type Log,
  type Meter,
} from "@postrider/runtime";
import { outputMetrics, type OutputMetrics } from "./output-metrics.ts";
import { PartitionCounts, type PartitionAdmin } from "./partition-counts.ts";
import type { OutputEntry } from "./output-queue.ts";
import {
  PartlyAcknowledgedError,
  RecordTooLargeError,
  TopicMissingError,
  type Producer,
  type ProducerFactory,
} from "../ports.ts";
import { cutFurther, halves } from "./too-large.ts";

/** Why the broker does not take records now. */
export interface OutputFault {
  readonly since: EpochMs;
  readonly detail: string;
}

/** Makes the Kafka clients of an output, which closes them itself. */
export interface OutputKafka {
  readonly createProducer: ProducerFactory;
  /** For counting partitions. */
  admin(): PartitionAdmin;
}

export interface OutputSenderOptions {
  readonly kafka: OutputKafka;
  readonly deadLetterOf: DeadLetterOf;
  /** The entry of a dead letter that takes the place of a refused record. */
  readonly replace: (
    entry: OutputEntry,
    letter: DeadLetter,
    cut: number,
  ) => OutputEntry;
  /** The broker has stored these entries, or dead letters in their place. */
  readonly stored: (entries: readonly OutputEntry[]) => void;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

interface Tried {
  readonly stored: readonly OutputEntry[];
  readonly rest: readonly OutputEntry[];
  readonly error: unknown;
}

const MAX_BACK_OFF_MS = 1000;
const DISCONNECTED_WITHIN_MS = 100;

export class OutputSender {
  readonly #options: OutputSenderOptions;
  readonly #metrics: OutputMetrics;
  readonly #counts: PartitionCounts;
  #producer: Promise<Producer> | null = null;
  /** The batch that is being sent: its parts that are not acknowledged, in order. */
  #parts: (readonly OutputEntry[])[] = [];
  #batches = 0;
  #fault: OutputFault | null = null;
  #failures = 0;
  readonly #closed = new AbortController();

  constructor(options: OutputSenderOptions) {
    this.#options = options;
    this.#metrics = outputMetrics(options.meter);
    const { kafka, log } = options;
    this.#counts = new PartitionCounts({ admin: () => kafka.admin(), log });
  }

  /** Connects before the first batch. If that fails, the first batch meets the same error and handles it. */
  prepare(): void {
    this.#connected().catch(() => undefined);
  }

  /** Counts the partitions of these topics and connects to their leaders. Never rejects: if something fails here, the first batch meets it again and handles it. */
  async warm(topics: readonly string[]): Promise<void> {
    const { log, clock } = this.#options;
    const since = clock.monotonic();
    try {
      const known = await this.#counts.known(topics);
      const producer = await this.#connected();
      await producer.warm(known);
      const durationMs = Math.round(clock.monotonic() - since);
      log.info("output.warmed", { topics: known, durationMs });
    } catch (error) {
      log.warn("output.notWarmed", { error: String(error) });
    }
  }

  /** The entries of the current batch that are not acknowledged. */
  unsettled(): OutputEntry[] {
    return this.#parts.flat();
  }

  oldestSince(): MonotonicMs | undefined {
    return this.#parts[0]?.[0]?.since;
  }

  fault(): OutputFault | null {
    return this.#fault;
  }

  /** Learns how many partitions the topics have. After a fault it waits for the back-off and resolves with false: call it again. */
  async knows(topics: ReadonlySet<string>): Promise<boolean> {
    try {
      await this.#counts.learn(topics);
      return true;
    } catch (error) {
      await this.#failed(error);
      return false;
    }
  }

  /** The partition of an entry: always the same for a key. All records without a key in one batch go to one partition, and the next batch takes the next partition. */
  partitionOf(entry: OutputEntry): number {
    const count = this.#counts.count(entry.topic);
    return entry.key === null
      ? this.#batches % count
      : (entry.hash & 0x7fffffff) % count;
  }

  /** Sends the batch. Resolves once every entry is acknowledged, or when the sender is closed. */
  async settle(batch: readonly OutputEntry[]): Promise<void> {
    this.#batches += 1;
    this.#parts = [batch];
    while (this.#parts.length > 0 && !this.#closed.signal.aborted) {
      const { stored, rest, error } = await this.#try(this.#parts[0]!);
      this.#parts.splice(0, 1, ...(rest.length > 0 ? [rest] : []));
      if (stored.length > 0) {
        this.#metrics.sent(stored);
        this.#options.stored(stored);
      }
      if (rest.length === 0) this.#recovered();
      else if (error instanceof RecordTooLargeError)
        this.#parts.splice(0, 1, ...(await this.#smaller(rest)));
      else {
        await this.#failed(error);
        await this.#placeAnew(rest, error);
      }
    }
    this.#parts = [];
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all([this.#counts.close(), this.#discard()]);
  }

  /** Sends a part once. Returns the entries that the broker has stored, the rest (stored or not) and the error. After an error the producer is discarded. */
  async #try(part: readonly OutputEntry[]): Promise<Tried> {
    try {
      const producer = await this.#connected();
      await producer.sendBatch(part);
      return { stored: part, rest: [], error: null };
    } catch (error) {
      await this.#discard();
      if (!(error instanceof PartlyAcknowledgedError))
        return { stored: [], rest: part, error };
      // Acknowledged entries must not be sent again: they would be in the log, and in every count made from it, twice.
      const { acknowledged } = error;
      return {
        stored: part.filter((entry) => acknowledged.has(entry)),
        rest: part.filter((entry) => !acknowledged.has(entry)),
        error: error.cause,
      };
    }
  }

  async #connected(): Promise<Producer> {
    this.#producer ??= this.#options.kafka.createProducer();
    const producer = await this.#producer;
    if (this.#closed.signal.aborted) {
      await producer.disconnect();
      throw new Error("the output was stopped");
    }
    return producer;
  }

  async #discard(): Promise<void> {
    const discarded = this.#producer;
    this.#producer = null;
    if (discarded === null) return;
    const disconnected = discarded
      .then((producer) => producer.disconnect())
      .catch(() => undefined);
    // A producer that is still connecting is disconnected once it has connected; do not wait for that.
    await within(disconnected, DISCONNECTED_WITHIN_MS);
  }

  /** Halves a part until the refused record stands alone. That record becomes a dead letter, which is cut more at each refusal. */
  async #smaller(part: readonly OutputEntry[]): Promise<OutputEntry[][]> {
    if (part.length > 1) return halves(part);
    const entry = part[0]!;
    const { deadLetterOf, clock, replace } = this.#options;
    const smaller = cutFurther(entry, { deadLetterOf, now: clock.now() });
    if (smaller === null) {
      await this.#failed(
        new RecordTooLargeError(
          `${entry.topic} refuses even a bare dead letter of ${entry.bytes} bytes`,
        ),
      );
      return [[entry]];
    }
    const { letter, cut } = smaller;
    this.#noteTooLarge(entry, letter);
    const replaced = replace(entry, letter, cut);
    const isKnown = (): Promise<boolean> =>
      this.knows(new Set([replaced.topic]));
    while (!(await isKnown()) && !this.#closed.signal.aborted);
    replaced.partition = this.partitionOf(replaced);
    return [[replaced]];
  }

  #noteTooLarge(entry: OutputEntry, letter: DeadLetter): void {
    this.#metrics.refused(entry.topic);
    this.#options.log.error("record.tooLarge", {
      topic: entry.topic,
      bytes: entry.bytes,
      sourceTopic: letter.recordTopic,
      sourcePartition: letter.recordPartition,
      sourceOffset: letter.recordOffset,
      keptBytes: letter.rawValue?.length ?? 0,
    });
  }

  /** After a topic was deleted: counts its partitions again, because it may come back with another number, and gives the records new partitions. */
  async #placeAnew(
    part: readonly OutputEntry[],
    error: unknown,
  ): Promise<void> {
    if (!(error instanceof TopicMissingError)) return;
    const topics = new Set(part.map(({ topic }) => topic));
    this.#counts.forget(topics);
    while (!(await this.knows(topics)) && !this.#closed.signal.aborted);
    for (const entry of part) entry.partition = this.partitionOf(entry);
  }

  async #failed(error: unknown): Promise<void> {
    const detail = error instanceof Error ? error.message : String(error);
    if (this.#closed.signal.aborted) return;
    this.#metrics.failed();
    if (this.#fault === null)
      this.#options.log.warn("output.failed", { error: detail });
    const since = this.#fault?.since ?? this.#options.clock.now();
    this.#fault = { since, detail };
    const backOffMs = Math.min(MAX_BACK_OFF_MS, 50 * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    await sleep(backOffMs, { signal: this.#closed.signal });
  }

  #recovered(): void {
    this.#failures = 0;
    if (this.#fault === null) return;
    const troubledMs = this.#options.clock.now() - this.#fault.since;
    this.#fault = null;
    this.#options.log.info("output.recovered", { troubledMs });
  }
}
