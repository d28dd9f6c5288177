/**
 * What happens to one record after it was decoded: its handler, its output, its end.
 *
 *     queued ─take─▶ handled ─verdict─▶ produced ─acknowledged─▶ done
 *       │ ▲             │ threw
 *       │ └── back-off ◀┘
 *       └── relieved: deferred ─▶ produced ─▶ done
 *
 * A record is done only when all that follows from it is acknowledged. Whatever fails on the way leaves it open, and it is
 * tried again: at least once, never not at all.
 */
import type { DeadLetterReason } from "@postrider/core";
import type { DeadLetterOf } from "./dead-letter-of.ts";
import type { Log } from "./effects.ts";
import type { Lanes } from "./lanes.ts";
import type { Output } from "./output-port.ts";
import type { OutRecord, RawRecord } from "./record.ts";
import type { RunnerMetrics } from "./runner-metrics.ts";
import type { Stage, Verdict } from "./stage.ts";
import type { Unfinished } from "./unfinished.ts";

export interface RecordFlowOptions<In> {
  readonly stage: Stage<In>;
  readonly lanes: Lanes<Unfinished<In>>;
  readonly output: Pick<Output, "send">;
  readonly deadLetterOf: DeadLetterOf;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics: RunnerMetrics;
  /** A handler ended: another may begin. */
  readonly settled: () => void;
  /** All that follows is acknowledged. */
  readonly done: (entry: Unfinished<In>) => void;
  /** Its handler threw: queue it again, at the head of its lane, once it has waited. */
  readonly again: (entry: Unfinished<In>) => void;
}

/** Records given to the output at once, from a verdict that yields many. */
const CHUNK_RECORDS = 500;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 30_000;

export class RecordFlow<In> {
  readonly #options: RecordFlowOptions<In>;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Handlers at work. */
  inFlight = 0;
  /** Records whose output is on its way. */
  producing = 0;
  #isStopped = false;
  #onIdle: (() => void) | null = null;

  constructor(options: RecordFlowOptions<In>) {
    this.#options = options;
  }

  /** Runs the handler of a record that was taken from its lane. Never rejects. */
  async handle(entry: Unfinished<In>): Promise<void> {
    const { stage, lanes, signal } = this.#options;
    const lane = entry.lane!;
    this.inFlight++;
    let verdict: Verdict;
    try {
      verdict = await stage.handle(entry, signal);
    } catch (error) {
      this.inFlight--;
      lanes.settle(lane, false);
      this.#threw(entry, error);
      return this.#settled();
    }
    this.inFlight--;
    lanes.settle(lane, true);
    this.producing++;
    // The lane goes on while the output travels.
    this.#settled();
    try {
      if (verdict.kind === "emit") {
        if (!isEmpty(verdict.records))
          await this.#produce(verdict.records, entry.raw);
      } else await this.#deadLetter(entry, verdict.reason, verdict.detail);
      this.#options.done(entry);
    } catch (error) {
      this.#threw(entry, error);
    }
    this.#produced();
  }

  /** The raw record becomes a dead letter. Never rejects. */
  async reject(
    entry: Unfinished<In>,
    reason: DeadLetterReason,
    detail: string,
  ): Promise<void> {
    this.producing++;
    try {
      await this.#deadLetter(entry, reason, detail);
      this.#options.done(entry);
    } catch (error) {
      this.#later(entry, error, () => void this.reject(entry, reason, detail));
    }
    this.#produced();
  }

  /** Relief: the record, which is in no queue any more, goes to its slot. Never rejects. */
  async defer(entry: Unfinished<In>, slotAt: number): Promise<void> {
    const { stage, metrics } = this.#options;
    const { partition, bytes } = entry;
    this.producing++;
    partition.deferring++;
    partition.deferringBytes += bytes;
    try {
      await this.#produce(stage.defer!(entry, slotAt), entry.raw);
      metrics.deferrals();
      this.#options.done(entry);
    } catch (error) {
      this.#threw(entry, error);
    }
    partition.deferring--;
    partition.deferringBytes -= bytes;
    this.#produced();
  }

  /** What waits to be tried again stays open, and is not. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Resolves when no handler is at work and no output on its way. */
  idle(): Promise<void> {
    if (this.inFlight === 0 && this.producing === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#onIdle;
      this.#onIdle = () => {
        before?.();
        resolve();
      };
    });
  }

  async #produce(
    records: Iterable<OutRecord>,
    source: RawRecord,
  ): Promise<void> {
    const { output } = this.#options;
    if (Array.isArray(records) && records.length <= CHUNK_RECORDS)
      return await output.send(records as readonly OutRecord[], source);
    let chunk: OutRecord[] = [];
    for (const record of records) {
      chunk.push(record);
      if (chunk.length < CHUNK_RECORDS) continue;
      await output.send(chunk, source);
      chunk = [];
    }
    if (chunk.length > 0) await output.send(chunk, source);
  }

  async #deadLetter(
    entry: Unfinished<In>,
    reason: DeadLetterReason,
    detail: string,
  ): Promise<void> {
    const { deadLetterOf, output, metrics } = this.#options;
    await output.send([deadLetterOf(entry.raw, reason, detail)], entry.raw);
    metrics.rejected(reason);
  }

  #threw(entry: Unfinished<In>, error: unknown): void {
    this.#later(entry, error, () => this.#options.again(entry));
  }

  #later(entry: Unfinished<In>, error: unknown, retry: () => void): void {
    // Given back on a stop, or because its partition went: whoever owns it next takes it.
    if (this.#isStopped || entry.partition.state === "lost") return;
    const { log, metrics } = this.#options;
    const { raw } = entry;
    const waitMs = Math.min(
      LONGEST_BACKOFF_MS,
      FIRST_BACKOFF_MS * 2 ** Math.min(entry.failures, 10),
    );
    entry.failures++;
    metrics.handlerErrors();
    log.error("record.handlerFailed", {
      topic: raw.topic,
      partition: raw.partition,
      offset: raw.offset,
      failures: entry.failures,
      waitMs,
      error:
        error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (entry.partition.state !== "lost") retry();
    }, waitMs);
    this.#timers.add(timer);
  }

  #settled(): void {
    this.#options.settled();
    this.#checkIdle();
  }

  #produced(): void {
    this.producing--;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#onIdle === null || this.inFlight > 0 || this.producing > 0)
      return;
    const onIdle = this.#onIdle;
    this.#onIdle = null;
    onIdle();
  }
}

function isEmpty(records: Iterable<OutRecord>): boolean {
  return Array.isArray(records) && records.length === 0;
}
