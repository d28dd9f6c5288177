/**
 * What happens to one record after it was decoded: its handler, its output, its end.
 *
 *     queued ─take─▶ handled ─verdict─▶ produced ─acknowledged─▶ done
 *       │ ▲             │ threw           │ ▲ refused
 *       │ └── back-off ◀┘                 └─┘ back-off, the same records again
 *       └── relieved: deferred ─▶ produced ─acknowledged─▶ done
 *
 * A record is done only when all that follows from it is acknowledged (production.ts). Whatever fails before leaves it open,
 * and it is tried again: at least once.
 *
 * - After the acknowledgement come `done` and then the metrics, and what these throw is a line in the log: nothing brings
 *   back a record whose output is acknowledged.
 * - A value that does not fit its schema becomes a dead letter: in the output, where a stage gives it on; here, of the whole
 *   record, where the stage throws an `UnfitValueError` itself. Nothing of this is tried again, because it would fail again.
 * - Of a `stage.defer` that threw nothing was produced: the handler decides after all.
 */
import type { DeadLetterReason } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { Log } from "@postrider/runtime";
import type { Lanes } from "../lanes/lanes.ts";
import type { Output } from "../output-port.ts";
import { guard, Production, type Ending } from "./production.ts";
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

export class RecordFlow<In> {
  readonly #options: RecordFlowOptions<In>;
  readonly #production: Production;
  /** Handlers at work. */
  inFlight = 0;
  /** Records whose output is on its way, or that wait to be tried again. */
  producing = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: RecordFlowOptions<In>) {
    this.#options = options;
    this.#production = new Production(options);
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
    const departed = (): void => partition.endDeferring(entry);
    let records: Iterable<OutRecord>;
    try {
      records = stage.defer!(entry, slotAt);
    } catch (bug) {
      return void this.#again(entry, bug).then(departed);
    }
    this.#emit(entry, records, { count: () => metrics.deferrals(), departed });
  }

  /** What waits to be tried again stays open, and is not. */
  stop(): void {
    this.#production.stop();
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

  #emit(
    entry: OpenRecord<In>,
    records: Iterable<OutRecord>,
    end: RecordEnd = NOTHING_MORE,
  ): void {
    this.#production.send(entry, records, (ending) =>
      this.#ended(entry, ending, end),
    );
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
    const end = { count: () => metrics.rejected(reason) };
    void this.#production
      .sendMade(entry, letters)
      .then((ending) => this.#ended(entry, ending, end));
  }

  /** Of its production. */
  #ended(
    entry: OpenRecord<In>,
    ending: Ending,
    { count, departed }: RecordEnd,
  ): void {
    switch (ending.kind) {
      case "threw":
        return void this.#again(entry, ending.bug).then(departed);
      case "acknowledged":
        this.#finish(entry, count);
        break;
      case "given_back":
    }
    departed?.();
    this.#produced();
  }

  /** All that follows is acknowledged: whatever is thrown here must not bring the record back. */
  #finish(entry: OpenRecord<In>, count?: () => void): void {
    const { log, done } = this.#options;
    guard(log, entry.raw, () => done(entry));
    if (count !== undefined) guard(log, entry.raw, count);
  }

  /** Back to its lane, once it has waited; a dead letter where a value fits no schema, because the stage would throw the same again. */
  async #again(entry: OpenRecord<In>, bug: unknown): Promise<void> {
    if (bug instanceof UnfitValueError) {
      this.#production.report(entry, bug, 0);
      this.reject(entry, "invalid", bug.message);
      return this.#produced();
    }
    if (await this.#production.backOff(entry, bug)) this.#options.again(entry);
    this.#produced();
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
