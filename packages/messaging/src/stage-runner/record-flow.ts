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
 * - A value that does not fit its schema becomes a dead letter: in the output, where a stage gives it on; here, of the whole
 *   record, where the stage throws an `UnfitValueError` itself. Nothing of this is tried again, because it would fail again.
 * - `stage.defer`, or an iterable, that throws is a bug of the stage: the handler decides again. Of a `defer` that threw
 *   nothing was produced. An iterable that throws after its first chunk is the one case in which something is said twice;
 *   stages give arrays, which cannot, and what they fan out carries ids by which the twin is dropped.
 */
import type { DeadLetterReason } from "@postrider/core";
import { backOffMs } from "../back-off.ts";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { Log } from "@postrider/runtime";
import type { Lanes } from "../lanes/lanes.ts";
import type { Output } from "../output-port.ts";
import { Pauses } from "./pauses.ts";
import type { OutRecord } from "../record.ts";
import type { RunnerMetrics } from "./runner-metrics.ts";
import type { Stage, Verdict } from "../stage.ts";
import type { OpenRecord } from "./open-record.ts";
import { UnfitValueError } from "../unfit-value-error.ts";

export interface RecordFlowOptions<In> {
  readonly stage: Stage<In>;
  readonly lanes: Lanes<OpenRecord<In>>;
  readonly output: Pick<Output, "send">;
  readonly deadLetterOf: DeadLetterOf;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics: RunnerMetrics;
  /** A handler ended: another may begin. */
  readonly settled: () => void;
  /** All that follows is acknowledged. */
  readonly done: (entry: OpenRecord<In>) => void;
  /** Its handler threw: queue it again, at the head of its lane, once it has waited. */
  readonly again: (entry: OpenRecord<In>) => void;
}

/** What else belongs to the end of a record's production. */
interface RecordEnd {
  /** Counts it, once all is acknowledged. */
  readonly count?: () => void;
  /** However it ended. */
  readonly departed?: () => void;
}
const NOTHING_MORE: RecordEnd = {};

type Rejection = Pick<
  Extract<Verdict, { kind: "reject" }>,
  "reason" | "detail"
>;

/** Records given to the output at once, from a verdict that yields many. */
const CHUNK_RECORDS = 500;

export class RecordFlow<In> {
  readonly #options: RecordFlowOptions<In>;
  readonly #pauses = new Pauses();
  /** Handlers at work. */
  inFlight = 0;
  /** Records whose output is on its way, or that wait to be tried again. */
  producing = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: RecordFlowOptions<In>) {
    this.#options = options;
  }

  /** Runs the handler of a record that was taken from its lane. Never throws. */
  handle(entry: OpenRecord<In>): void {
    const { stage, signal } = this.#options;
    this.inFlight++;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = stage.handle(entry, signal);
    } catch (bug) {
      return this.#threw(entry, bug);
    }
    if (verdict instanceof Promise)
      verdict.then(
        (decided) => this.#decided(entry, decided),
        (bug: unknown) => this.#threw(entry, bug),
      );
    else this.#decided(entry, verdict);
  }

  /** The raw record, which no handler could take, becomes a dead letter and what the stage wants beside it. Never throws. */
  reject(
    entry: OpenRecord<In>,
    reason: DeadLetterReason,
    detail: string,
  ): void {
    const { stage } = this.#options;
    this.producing++;
    this.#deadLetter(
      entry,
      { reason, detail },
      () => stage.unread?.(entry.raw, reason, detail) ?? [],
    );
  }

  /** Relief: the record, which is in no queue any more, goes to its slot. Never throws. */
  defer(entry: OpenRecord<In>, slotAt: number): void {
    const { stage, metrics } = this.#options;
    const { partition } = entry;
    this.producing++;
    partition.beginDeferring(entry);
    let records: Iterable<OutRecord> | null = null;
    let bug: unknown;
    try {
      records = stage.defer!(entry, slotAt);
    } catch (error) {
      bug = error;
    }
    const departed = (): void => partition.endDeferring(entry);
    if (records === null) void this.#again(entry, bug).then(departed);
    else
      this.#emit(entry, records, {
        count: () => metrics.deferrals(),
        departed,
      });
  }

  /** What waits to be tried again stays open, and is not. */
  stop(): void {
    this.#pauses.stop();
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

  #decided(entry: OpenRecord<In>, verdict: Verdict): void {
    this.#handled(entry, true);
    if (verdict.kind === "emit") this.#emit(entry, verdict.records);
    else this.#deadLetter(entry, verdict);
  }

  #threw(entry: OpenRecord<In>, bug: unknown): void {
    this.#handled(entry, false);
    void this.#again(entry, bug);
  }

  /** Its handler ended. The lane goes on while the output travels. */
  #handled(entry: OpenRecord<In>, isCompleted: boolean): void {
    this.inFlight--;
    this.producing++;
    this.#options.lanes.settle(entry.lane!, isCompleted);
    this.#options.settled();
  }

  /**
   * Produces what follows and ends the record. Nearly every record has a few outputs that are acknowledged at the first
   * try: one promise for those, and async functions only for the others.
   */
  #emit(
    entry: OpenRecord<In>,
    records: Iterable<OutRecord>,
    end: RecordEnd = NOTHING_MORE,
  ): void {
    if (!Array.isArray(records) || records.length > CHUNK_RECORDS)
      return void this.#emitInChunks(entry, records, end);
    if (records.length === 0) return this.#ended(entry, true, end);
    this.#options.output.send(records, entry.raw).then(
      () => this.#ended(entry, true, end),
      async (error: unknown) => {
        const isAcknowledged =
          (await this.#pause(entry, error)) &&
          (await this.#sendUntilAcknowledged(entry, () => records));
        this.#ended(entry, isAcknowledged, end);
      },
    );
  }

  async #emitInChunks(
    entry: OpenRecord<In>,
    records: Iterable<OutRecord>,
    end: RecordEnd,
  ): Promise<void> {
    let isAcknowledged: boolean;
    try {
      isAcknowledged = await this.#produce(entry, records);
    } catch (bug) {
      await this.#again(entry, bug);
      return end.departed?.();
    }
    this.#ended(entry, isAcknowledged, end);
  }

  #deadLetter(
    entry: OpenRecord<In>,
    { reason, detail }: Rejection,
    besides: () => readonly OutRecord[] = () => [],
  ): void {
    const { deadLetterOf, metrics } = this.#options;
    const letters = (): readonly OutRecord[] => [
      deadLetterOf(entry.raw, reason, detail),
      ...besides(),
    ];
    void this.#sendUntilAcknowledged(entry, letters).then((isAcknowledged) =>
      this.#ended(entry, isAcknowledged, {
        count: () => metrics.rejected(reason),
      }),
    );
  }

  /** True once all are acknowledged; false if the record was given back before. Throws only what the iterable throws. */
  async #produce(
    entry: OpenRecord<In>,
    records: Iterable<OutRecord>,
  ): Promise<boolean> {
    let chunk: OutRecord[] = [];
    for (const record of records) {
      chunk.push(record);
      if (chunk.length < CHUNK_RECORDS) continue;
      const full = chunk;
      if (!(await this.#sendUntilAcknowledged(entry, () => full))) return false;
      chunk = [];
    }
    return (
      chunk.length === 0 ||
      (await this.#sendUntilAcknowledged(entry, () => chunk))
    );
  }

  /** One chunk, until it is acknowledged (true) or the record is given back (false). Never rejects. */
  async #sendUntilAcknowledged(
    entry: OpenRecord<In>,
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

  /** Of its production; the record is done if all is acknowledged, else it was given back. */
  #ended(
    entry: OpenRecord<In>,
    isAcknowledged: boolean,
    { count, departed }: RecordEnd,
  ): void {
    if (isAcknowledged) this.#finish(entry, count);
    departed?.();
    this.#produced();
  }

  /** All that follows is acknowledged: whatever is thrown here must not bring the record back. */
  #finish(entry: OpenRecord<In>, count?: () => void): void {
    this.#guard(entry, () => this.#options.done(entry));
    if (count !== undefined) this.#guard(entry, count);
  }

  #guard({ raw }: OpenRecord<In>, act: () => void): void {
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

  /** Back to its lane, once it has waited; a dead letter where a value fits no schema, because the stage would throw the same again. */
  async #again(entry: OpenRecord<In>, bug: unknown): Promise<void> {
    if (bug instanceof UnfitValueError) {
      this.#guard(entry, () => this.#tell(entry, bug, 0));
      this.reject(entry, "invalid", bug.message);
      return this.#produced();
    }
    if (await this.#pause(entry, bug)) this.#options.again(entry);
    this.#produced();
  }

  /** Backs off. False if the record is given back, on a stop or because its partition went: whoever owns it next takes it. */
  async #pause(entry: OpenRecord<In>, error: unknown): Promise<boolean> {
    if (this.#pauses.isStopped || isLost(entry)) return false;
    const waitMs = backOffMs(++entry.failures, 1);
    this.#guard(entry, () => this.#tell(entry, error, waitMs));
    await this.#pauses.wait(waitMs);
    // Both may have changed meanwhile.
    return !this.#pauses.isStopped && !isLost(entry);
  }

  #tell(
    { raw, failures }: OpenRecord<In>,
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

function isLost({ partition }: OpenRecord<unknown>): boolean {
  return partition.state === "lost";
}

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message)
    : String(error);
}
