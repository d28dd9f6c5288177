/**
 * Output: puts records into batches and sends the batches to the broker. Invariants:
 *
 * - One `sendBatch` is in flight at a time.
 * - Records of a partition are written in the order in which they were sent.
 * - A record is acknowledged once, and only after the broker has stored it, or a dead letter in its place.
 *
 * After any error the producer is discarded, because kafkajs then miscounts its sequence numbers and the broker would drop a
 * later batch as a duplicate (docs/kafkajs.md, "One batch in flight, none after an error"). A new producer sends the records
 * that are not acknowledged. Records that the broker's answer names as stored are never sent twice. If an answer never came,
 * records of that request that were stored are sent, and stored, twice.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import { within, type Clock, type Log, type Meter } from "@postrider/runtime";
import type { Output, Sent } from "../output-port.ts";
import { OutputEntries } from "./output-entries.ts";
import { OutputPace } from "./output-pace.ts";
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
import type { ValueBytes } from "../value-bytes.ts";
import { Wake } from "./wake.ts";

export interface OutputOptions {
  readonly kafka: OutputKafka;
  /** A codec's `encodeInPieces`, or its `encode`: throws `UnfitValueError` if a value does not fit its schema. */
  readonly encode: (record: OutRecord) => ValueBytes;
  readonly prefix: string;
  /**
   * Topics (names without the prefix) that `start` prepares: it counts their partitions, finds the leaders and connects to them, so
   * that the first send to each does not have to. Default: none.
   */
  readonly warm?: readonly OutRecord["topic"][];
  /** Makes the dead letter of a record that cannot be written, from its source: the record is too large (the raw part is then cut here), or does not fit its schema. */
  readonly deadLetterOf: DeadLetterOf;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** For topics whose records nobody waits for: how long one waits for others to fill its batch, at most, ms. A record of any other topic is _hurried_: it goes with the next request (`OutputPace`). */
  readonly lingerMs?: (topic: OutRecord["topic"]) => number | undefined;
  readonly limits?: Partial<BatchLimits>;
}

/** The output port, with its health checks. */
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

/** The output was stopped before the record was acknowledged. The broker may have stored it or not. */
export class OutputStoppedError extends Error {
  readonly code = "OUTPUT_STOPPED";
}

export function createOutput(options: OutputOptions): ObservedOutput {
  return new BatchedOutput(options);
}

class BatchedOutput implements ObservedOutput {
  readonly #options: OutputOptions;
  readonly #limits: BatchLimits;
  readonly #queue = new OutputQueue();
  readonly #sender: OutputSender;
  readonly #entries: OutputEntries;
  readonly #pace = new OutputPace();
  readonly #wake = new Wake();
  #unacknowledged = 0;
  /** When `#run` wakes up by itself; -Infinity while it does not sleep. */
  #wakesAt: MonotonicMs = -Infinity;
  #state: "new" | "running" | "draining" | "stopped" = "new";
  #running: Promise<void> = Promise.resolve();
  #warmed: Promise<void> = Promise.resolve();
  readonly #isStopped = Promise.withResolvers<void>();

  constructor(options: OutputOptions) {
    this.#options = options;
    this.#limits = { ...BATCH_LIMITS, ...options.limits };
    const { lingerMs = () => undefined } = options;
    this.#entries = new OutputEntries({ ...options, lingerMs });
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
          entry.since,
        ),
        cut,
      }),
      stored: (entries) => this.#acknowledge(entries),
    });
  }

  /** Resolves once the `warm` topics are prepared, or after 5 s. `send` may be called at once; its records wait for the broker. Never rejects. */
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
    return promised((ended) => this.sendThen(records, source, ended));
  }

  sendThen(
    records: readonly OutRecord[],
    source: RawRecord | undefined,
    ended: Sent,
  ): void {
    if (this.#state === "draining" || this.#state === "stopped")
      return ended(new OutputStoppedError("the output is stopped"));
    if (records.length === 0) return ended(null);
    const ticket: Ticket = { left: records.length, ended };
    const since = this.#options.clock.monotonic();
    const entries: OutputEntry[] = [];
    try {
      // Encode all records before any is queued: a record that can be neither encoded nor replaced by a dead letter refuses the whole call.
      for (const record of records)
        entries.push(this.#entries.of(record, source, ticket, since));
    } catch (error) {
      return ended(errorOf(error));
    }
    this.#unacknowledged += entries.length;
    for (const entry of entries) this.#queue.push(entry);
    if (this.#dueAt() < this.#wakesAt) this.#wake.notify();
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

  /** Sends queued records until the deadline. Those that are left then are rejected with `OutputStoppedError`. */
  async stop(deadline: EpochMs): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = this.#state === "new" ? "stopped" : "draining";
    this.#wake.notify();
    await within(this.#running, deadline - this.#options.clock.now());
    this.#state = "stopped";
    this.#isStopped.resolve();
    const unsent = [...this.#sender.unsettled(), ...this.#queue.drain()];
    for (const { ticket } of unsent) {
      if (ticket.left === 0) continue;
      ticket.left = 0;
      this.#end(
        ticket,
        new OutputStoppedError("the output was stopped with records unsent"),
      );
    }
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
      const dueAt = this.#dueAt();
      const waitMs = dueAt - this.#options.clock.monotonic();
      if (dueAt === Infinity) {
        if (this.#state === "draining") return;
        await this.#sleepUntil(dueAt);
      } else if (waitMs > 0) {
        await this.#sleepUntil(dueAt, waitMs);
      } else if (await this.#sender.knows(this.#queue.topics(this.#limits))) {
        await this.#sender.settle(this.#take());
      }
    }
  }

  /** The records of a request that begins now. */
  #take(): OutputEntry[] {
    const now = this.#options.clock.monotonic();
    const { hurried } = this.#queue;
    const entries = this.#queue.take(this.#limits, (entry) =>
      this.#sender.partitionOf(entry),
    );
    this.#pace.begun(now, hurried - this.#queue.hurried);
    return entries;
  }

  async #sleepUntil(at: MonotonicMs, waitMs?: number): Promise<void> {
    this.#wakesAt = at;
    await this.#wake.wait(waitMs);
    this.#wakesAt = -Infinity;
    // The records of one moment go together: those of one fetch, for instance.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** When the next request begins; `Infinity` while the queue is empty. */
  #dueAt(): MonotonicMs {
    if (this.#queue.length === 0) return Infinity;
    if (this.#state !== "running" || this.#queue.isFull(this.#limits))
      return -Infinity;
    return this.#pace.dueAt(this.#queue);
  }

  /** A caller that throws must not keep the other callers waiting. */
  #end(ticket: Ticket, error: Error | null): void {
    try {
      ticket.ended(error);
    } catch (thrown) {
      this.#options.log.error("output.callerFailed", { error: String(thrown) });
    }
  }

  #acknowledge(entries: readonly OutputEntry[]): void {
    // The stop has rejected all tickets and set the count to 0.
    if (this.#state === "stopped") return;
    this.#unacknowledged -= entries.length;
    for (const { ticket } of entries) {
      ticket.left -= 1;
      if (ticket.left === 0) this.#end(ticket, null);
    }
  }
}

/** A promise of how a call ends that takes a callback instead. */
export function promised(send: (ended: Sent) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    send((error) => (error === null ? resolve() : reject(error))),
  );
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

const WARM_WITHIN_MS = 5000;

/** While a broker is away kafkajs retries and reports nothing; only the age of the oldest record shows it, ms. */
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
