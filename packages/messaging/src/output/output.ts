/**
 * Output: records become batches, batches reach the broker. Invariants: one `sendBatch` is in flight; records of a
 * partition are written in the order in which they were sent; a record is acknowledged once, and only after the broker has
 * it (or a dead letter in its place). After any error the producer is discarded, because kafkajs then miscounts its sequence
 * numbers and the broker would drop a later batch as a duplicate (docs/kafkajs.md, "One batch in flight, none after an error").
 * A new producer sends again what is not acknowledged. What the broker's answer names as stored is never sent twice; what was
 * stored by a request whose answer never came, is.
 */
import type { EpochMs } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import { within, type Clock, type Log, type Meter } from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import { OutputEntries } from "./output-entries.ts";
import {
  BATCH_LIMITS,
  OutputQueue,
  type BatchLimits,
  type OutputEntry,
  type Ticket,
} from "./output-queue.ts";
import {
  OutputSender,
  type OutputFault,
  type OutputKafka,
} from "./output-sender.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import { topicName } from "../topics.ts";
import { Wake } from "./wake.ts";

export interface OutputOptions {
  readonly kafka: OutputKafka;
  /** A codec's `encode`: throws `UnfitValueError` where a value does not fit its schema. */
  readonly encode: (record: OutRecord) => Buffer;
  readonly prefix: string;
  /**
   * Topics (names below the prefix) of which `start` asks ahead what the first send to each would have to ask: how many partitions
   * there are, where they are, and a connection. Default: none.
   */
  readonly warm?: readonly OutRecord["topic"][];
  /** Makes the dead letter of a record that cannot be written, from its source: too large (the raw part is cut here), or unfit for its schema. */
  readonly deadLetterOf: DeadLetterOf;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** The longest a record waits for company. Default 5 ms. */
  readonly lingerMs?: number;
  readonly limits?: Partial<BatchLimits>;
}

/** The port, and what readiness says of it. */
export interface ObservedOutput extends Output {
  health(): {
    readonly ready: OutputCheck[];
    readonly live: OutputCheck[];
  };
}
export interface OutputCheck {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

/** The output was stopped before the record was acknowledged: the broker may have it or not. */
export class OutputStoppedError extends Error {
  readonly code = "OUTPUT_STOPPED";
}

export function createOutput(options: OutputOptions): ObservedOutput {
  return new BatchedOutput(options);
}

class BatchedOutput implements ObservedOutput {
  readonly #options: OutputOptions;
  readonly #limits: BatchLimits;
  readonly #lingerMs: number;
  readonly #queue = new OutputQueue();
  readonly #sender: OutputSender;
  readonly #entries: OutputEntries;
  readonly #wake = new Wake();
  #unacknowledged = 0;
  #state: "new" | "running" | "draining" | "stopped" = "new";
  #running: Promise<void> = Promise.resolve();
  #warmed: Promise<void> = Promise.resolve();
  readonly #isStopped = Promise.withResolvers<void>();

  constructor(options: OutputOptions) {
    this.#options = options;
    this.#limits = { ...BATCH_LIMITS, ...options.limits };
    this.#lingerMs = options.lingerMs ?? 5;
    this.#entries = new OutputEntries(options);
    this.#sender = new OutputSender({
      ...options,
      replace: (entry, letter, cut) => ({
        ...this.#entries.of(
          {
            topic: "dead-letters",
            key: letter.endpointId ?? entry.source?.key ?? entry.key,
            value: letter,
          },
          entry.source,
          entry.ticket,
        ),
        since: entry.since,
        cut,
      }),
      stored: (entries) => this.#acknowledge(entries),
    });
  }

  /** Resolves once it is warm, or after 5 s without. Records are taken at once, and wait for the broker. Never rejects. */
  start(): Promise<void> {
    if (this.#state === "new") {
      this.#state = "running";
      this.#sender.prepare();
      this.#running = this.#run();
      this.#warmed = this.#warm();
    }
    return this.#warmed;
  }

  send(records: readonly OutRecord[], source?: RawRecord): Promise<void> {
    if (this.#state === "draining" || this.#state === "stopped")
      return Promise.reject(new OutputStoppedError("the output is stopped"));
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const ticket: Ticket = { left: records.length, resolve, reject };
      // All are encoded before any is queued: one that cannot be, nor be replaced by a dead letter, rejects the whole call.
      const entries = records.map((each) =>
        this.#entries.of(each, source, ticket),
      );
      this.#unacknowledged += entries.length;
      const wasEmpty = this.#queue.length === 0;
      for (const entry of entries) this.#queue.push(entry);
      if (wasEmpty || this.#queue.isFull(this.#limits)) this.#wake.notify();
    });
  }

  unacknowledged(): number {
    return this.#unacknowledged;
  }

  oldestUnacknowledgedMs(): number {
    const since = this.#sender.oldestSince() ?? this.#queue.first?.since;
    return since === undefined
      ? 0
      : Math.max(0, this.#options.clock.monotonic() - since);
  }

  health(): { ready: OutputCheck[]; live: OutputCheck[] } {
    const check = checkOf(this.#sender.fault(), this.oldestUnacknowledgedMs());
    return { ready: [check], live: [] };
  }

  /** Sends what waits, until the deadline; what is left then is rejected. */
  async stop(deadline: EpochMs): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = this.#state === "new" ? "stopped" : "draining";
    this.#wake.notify();
    await within(this.#running, deadline - this.#options.clock.now());
    this.#state = "stopped";
    this.#isStopped.resolve();
    const unsent = [...this.#sender.unsettled(), ...this.#queue.drain()];
    for (const { ticket } of unsent)
      ticket.reject(
        new OutputStoppedError("the output was stopped with records unsent"),
      );
    this.#unacknowledged = 0;
    await this.#sender.close();
  }

  async #warm(): Promise<void> {
    const { prefix, warm = [] } = this.#options;
    if (warm.length === 0) return;
    const topics = warm.map((topic) => topicName(prefix, topic));
    const warming = this.#sender.warm(topics);
    await within(
      Promise.race([warming, this.#isStopped.promise]),
      WARM_WITHIN_MS,
    );
  }

  async #run(): Promise<void> {
    while (this.#state !== "stopped") {
      const waitMs = this.#waitMs();
      if (waitMs === undefined) {
        if (this.#state === "draining") return;
        await this.#wake.wait();
      } else if (waitMs > 0) {
        await this.#wake.wait(waitMs);
      } else if (await this.#sender.knows(this.#queue.topics(this.#limits))) {
        await this.#sender.settle(
          this.#queue.take(this.#limits, (entry) =>
            this.#sender.partitionOf(entry),
          ),
        );
      }
    }
  }

  /** How long to wait for company yet; `undefined` when nothing waits. */
  #waitMs(): number | undefined {
    const { first } = this.#queue;
    if (first === undefined) return undefined;
    if (this.#state !== "running" || this.#queue.isFull(this.#limits)) return 0;
    return first.since + this.#lingerMs - this.#options.clock.monotonic();
  }

  #acknowledge(entries: readonly OutputEntry[]): void {
    // After a stop its tickets were rejected, and nothing counts any more.
    if (this.#state === "stopped") return;
    this.#unacknowledged -= entries.length;
    for (const { ticket } of entries) {
      ticket.left -= 1;
      if (ticket.left === 0) ticket.resolve();
    }
  }
}

const WARM_WITHIN_MS = 5000;

/** kafkajs retries a broker that is away without a word: then only the age of what waits tells. */
const STALLED_MS = 1000;

function checkOf(fault: OutputFault | null, oldestMs: number): OutputCheck {
  const name = "output";
  if (fault !== null) {
    const since = new Date(fault.since).toISOString();
    const detail = `not accepted since ${since}: ${fault.detail}`;
    return { name, isOk: false, detail };
  }
  return oldestMs > STALLED_MS
    ? {
        name,
        isOk: false,
        detail: `the oldest record is unacknowledged for ${Math.round(oldestMs)} ms`,
      }
    : { name, isOk: true, detail: "records are acknowledged" };
}
