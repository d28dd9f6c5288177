/**
 * What happens to one record after it was decoded: its handler, its output, its end.
 *
 *     queued ─take─▶ handled ─verdict─▶ produced ─acknowledged─▶ done
 *       │ ▲             │ threw           │ ▲ refused
 *       │ └── back-off ◀┘                 └─┘ back-off, the same records again
 *       └── relieved: deferred ─▶ produced ─acknowledged─▶ done
 *
 * A record is done only when all that follows from it is acknowledged. Whatever fails before leaves it open, and it is tried
 * again: at least once, never not at all. But what was acknowledged must not be said a second time by another handling: a
 * retry and a deferral of one delivery would be two chains of it. So:
 *
 * - Only the production stands in a `try`. After its acknowledgement come `done` and then the metrics, and what these throw
 *   is a line in the log.
 * - A verdict is produced chunk by chunk. A chunk that the output refuses was not taken at all (`Output.send` encodes all
 *   before it queues any), so that chunk is sent again, and neither the chunks before it nor the handler with its HTTP
 *   request are repeated.
 * - `stage.defer`, or an iterable, that throws is a bug of the stage: the handler decides again. Of a `defer` that threw
 *   nothing was produced. An iterable that throws after its first chunk is the one case in which something is said twice;
 *   stages give arrays, which cannot, and what they fan out carries ids by which the twin is dropped.
 */
import type { DeadLetterReason } from "@postrider/core";
import type { DeadLetterOf } from "./dead-letter-of.ts";
import type { Log } from "./effects.ts";
import type { Lanes } from "./lanes.ts";
import type { Output } from "./output-port.ts";
import type { OutRecord } from "./record.ts";
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

type Rejection = Pick<
  Extract<Verdict, { kind: "reject" }>,
  "reason" | "detail"
>;

/** Records given to the output at once, from a verdict that yields many. */
const CHUNK_RECORDS = 500;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 30_000;

export class RecordFlow<In> {
  readonly #options: RecordFlowOptions<In>;
  /** Each ends one back-off. */
  readonly #pauses = new Set<() => void>();
  /** Handlers at work. */
  inFlight = 0;
  /** Records whose output is on its way, or that wait to be tried again. */
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
    let verdict: Verdict | null = null;
    let bug: unknown = null;
    try {
      verdict = await stage.handle(entry, signal);
    } catch (error) {
      bug = error;
    }
    this.inFlight--;
    this.producing++;
    lanes.settle(lane, verdict !== null);
    // The lane goes on while the output travels.
    this.#options.settled();
    if (verdict === null) await this.#again(entry, bug);
    else if (verdict.kind === "emit") {
      const { records } = verdict;
      await this.#emit(entry, () => records);
    } else await this.#deadLetter(entry, verdict);
    this.#produced();
  }

  /** The raw record, which no handler could take, becomes a dead letter and what the stage wants beside it. Never rejects. */
  async reject(
    entry: Unfinished<In>,
    reason: DeadLetterReason,
    detail: string,
  ): Promise<void> {
    const { stage } = this.#options;
    this.producing++;
    await this.#deadLetter(
      entry,
      { reason, detail },
      () => stage.unread?.(entry.raw, reason, detail) ?? [],
    );
    this.#produced();
  }

  /** Relief: the record, which is in no queue any more, goes to its slot. Never rejects. */
  async defer(entry: Unfinished<In>, slotAt: number): Promise<void> {
    const { stage, metrics } = this.#options;
    const { partition, bytes } = entry;
    this.producing++;
    partition.deferring++;
    partition.deferringBytes += bytes;
    await this.#emit(
      entry,
      () => stage.defer!(entry, slotAt),
      () => metrics.deferrals(),
    );
    partition.deferring--;
    partition.deferringBytes -= bytes;
    this.#produced();
  }

  /** What waits to be tried again stays open, and is not. */
  stop(): void {
    this.#isStopped = true;
    for (const end of this.#pauses) end();
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

  async #emit(
    entry: Unfinished<In>,
    recordsOf: () => Iterable<OutRecord>,
    count?: () => void,
  ): Promise<void> {
    let isAcknowledged: boolean;
    try {
      isAcknowledged = await this.#produce(entry, recordsOf());
    } catch (bug) {
      return await this.#again(entry, bug);
    }
    if (isAcknowledged) this.#finish(entry, count);
  }

  async #deadLetter(
    entry: Unfinished<In>,
    { reason, detail }: Rejection,
    besides: () => readonly OutRecord[] = () => [],
  ): Promise<void> {
    const { deadLetterOf, metrics } = this.#options;
    const isAcknowledged = await this.#send(entry, () => [
      deadLetterOf(entry.raw, reason, detail),
      ...besides(),
    ]);
    if (isAcknowledged) this.#finish(entry, () => metrics.rejected(reason));
  }

  /** True once all are acknowledged; false if the record was given back before. Throws only what the iterable throws. */
  async #produce(
    entry: Unfinished<In>,
    records: Iterable<OutRecord>,
  ): Promise<boolean> {
    if (Array.isArray(records) && records.length <= CHUNK_RECORDS)
      return records.length === 0 || (await this.#send(entry, () => records));
    let chunk: OutRecord[] = [];
    for (const record of records) {
      chunk.push(record);
      if (chunk.length < CHUNK_RECORDS) continue;
      const full = chunk;
      if (!(await this.#send(entry, () => full))) return false;
      chunk = [];
    }
    return chunk.length === 0 || (await this.#send(entry, () => chunk));
  }

  /** One chunk, until it is acknowledged (true) or the record is given back (false). Never rejects. */
  async #send(
    entry: Unfinished<In>,
    recordsOf: () => readonly OutRecord[],
  ): Promise<boolean> {
    for (;;) {
      try {
        await this.#options.output.send(recordsOf(), entry.raw);
        return true;
      } catch (error) {
        if (!(await this.#pause(entry, error))) return false;
      }
    }
  }

  /** All that follows is acknowledged: whatever is thrown here must not bring the record back. */
  #finish(entry: Unfinished<In>, count?: () => void): void {
    this.#guard(entry, () => this.#options.done(entry));
    if (count !== undefined) this.#guard(entry, count);
  }

  #guard({ raw }: Unfinished<In>, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.log.error("record.aftermathFailed", {
        topic: raw.topic,
        partition: raw.partition,
        offset: raw.offset,
        error: textOf(error),
      });
    }
  }

  async #again(entry: Unfinished<In>, bug: unknown): Promise<void> {
    if (await this.#pause(entry, bug)) this.#options.again(entry);
  }

  /** Backs off. False if the record is given back, on a stop or because its partition went: whoever owns it next takes it. */
  async #pause(entry: Unfinished<In>, error: unknown): Promise<boolean> {
    if (this.#isStopped || isLost(entry)) return false;
    const waitMs = Math.min(
      LONGEST_BACKOFF_MS,
      FIRST_BACKOFF_MS * 2 ** Math.min(entry.failures, 10),
    );
    entry.failures++;
    this.#guard(entry, () => this.#tell(entry, error, waitMs));
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      this.#pauses.add(end);
    });
    // Both may have changed meanwhile.
    return !this.#isStopped && !isLost(entry);
  }

  #tell(
    { raw, failures }: Unfinished<In>,
    error: unknown,
    waitMs: number,
  ): void {
    const { log, metrics } = this.#options;
    log.error("record.handlerFailed", {
      topic: raw.topic,
      partition: raw.partition,
      offset: raw.offset,
      failures,
      waitMs,
      error: textOf(error),
    });
    metrics.handlerErrors();
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

function isLost({ partition }: Unfinished<unknown>): boolean {
  return partition.state === "lost";
}

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message)
    : String(error);
}
