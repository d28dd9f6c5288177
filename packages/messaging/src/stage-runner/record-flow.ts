/**
 * What happens to one record after it was decoded: handler, output, done.
 *
 *     queued ─take─▶ handled ─verdict: emit, or reject with a dead letter─▶ produced ─acknowledged─▶ done
 *       │ ▲             │ threw                                              │ ▲ refused
 *       │ └── back-off ◀┤                                                    └─┘ back-off, the same records again
 *       │               └ UnfitValueError: given up ─▶ produced ─acknowledged─▶ done
 *       └── relieved: deferred ─▶ produced ─acknowledged─▶ done
 *
 *     unreadable, schema never came: given up ─▶ produced ─acknowledged─▶ done
 *     any back-off ─partition lost, or stop─▶ given back: its offset stays open (production.ts)
 *
 * At least once: a record is done only when every record that follows from it is acknowledged (production.ts). After a failure
 * before that, the record stays open and is tried again, here or by the partition's next owner.
 *
 * - After the acknowledgement `done` is called, then the metrics. If one of them throws, that is logged and nothing else: a
 *   record whose output is acknowledged must never be handled again.
 * - A value that does not fit its schema becomes a dead letter and is not tried again, because it would fail again. If the
 *   stage emits such a value, the output makes the dead letter. If the stage itself throws an `UnfitValueError`, the whole
 *   record becomes a dead letter here.
 * - If `stage.defer` throws, the record goes back to its lane and its handler decides; after an `UnfitValueError` it becomes a
 *   dead letter instead, as above. Usually nothing was produced by then. Only if `defer` returned a lazy iterable that throws
 *   midway may chunks of it have been sent: they then stand beside what the handler emits.
 */
import type { DeadLetterReason } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { Clock, Log } from "@postrider/runtime";
import type { Relieved } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Output } from "../output-port.ts";
import {
  logAftermath,
  logThrown,
  Production,
  type Ending,
} from "./production.ts";
import type { OutRecord } from "../record.ts";
import type { RunnerMetrics } from "./runner-metrics.ts";
import type { Stage, Verdict } from "../stage.ts";
import type { OpenRecord } from "./open-record.ts";
import { UnfitValueError } from "../unfit-value-error.ts";

export interface RecordFlowOptions<In> {
  readonly stage: Stage<In>;
  readonly lanes: Lanes<OpenRecord<In>>;
  readonly output: Pick<Output, "send" | "sendThen">;
  readonly deadLetterOf: DeadLetterOf;
  /** Given to handlers; aborted when they must end now. What a handler throws then changes nothing: its record is given back. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock: Pick<Clock, "monotonic">;
  readonly metrics: RunnerMetrics;
  /** A handler ended: another may start. */
  readonly handlerEnded: () => void;
  /** Every record that follows from this one is acknowledged. */
  readonly done: (entry: OpenRecord<In>) => void;
  /** The handler, `stage.defer` or the iterable threw, and the record's back-off is over: queue it again, at the head of its lane. */
  readonly again: (entry: OpenRecord<In>) => void;
}

/** What else to do when the production of a record ends. */
interface RecordEnd {
  /** Called only if everything was acknowledged: counts the record in a metric. */
  readonly count?: () => void;
  /** Called however the deferral ended: acknowledged, given back, queued again, or replaced by a dead letter (then as soon as that is begun). */
  readonly deferralEnded?: () => void;
}
const NOTHING_MORE: RecordEnd = {};

type Rejection = Pick<
  Extract<Verdict, { kind: "reject" }>,
  "reason" | "detail"
>;

export class RecordFlow<In> {
  readonly #options: RecordFlowOptions<In>;
  readonly #production: Production;
  readonly #running = new Set<OpenRecord<In>>();
  /** Handlers that run now. */
  inFlight = 0;
  /** Records whose output is not acknowledged yet, or that wait out a back-off. */
  unfinished = 0;
  #onIdle: (() => void) | null = null;

  constructor(options: RecordFlowOptions<In>) {
    this.#options = options;
    this.#production = new Production(options);
  }

  /** The records whose handlers run now, in the order in which they were started. */
  get running(): ReadonlySet<OpenRecord<In>> {
    return this.#running;
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
    if (!(verdict instanceof Promise))
      return this.#decided(entry, verdict, true);
    entry.startedAt = this.#options.clock.monotonic();
    this.#running.add(entry);
    verdict.then(
      (decided) => this.#decided(entry, decided),
      (bug: unknown) => this.#threw(entry, bug),
    );
  }

  /**
   * For a record that no handler can take, or for which the stage threw an `UnfitValueError`: produces a dead letter, and what
   * `stage.unread` wants written with it. (After a verdict `reject` the stage is not asked: it knows what it rejects.) Never throws.
   */
  giveUp(
    entry: OpenRecord<In>,
    reason: DeadLetterReason,
    detail: string,
  ): void {
    const { stage } = this.#options;
    this.unfinished++;
    this.#deadLetter(
      entry,
      { reason, detail },
      () => stage.unread?.(entry.raw, reason, detail) ?? [],
    );
  }

  /** Relief: produces the records that send this one to a tier until the slot that relief has reserved for it in its lane. The record must have left its queue. Never throws. */
  defer({ entry, slotAt, isTurn }: Relieved<OpenRecord<In>>): void {
    const { stage, metrics } = this.#options;
    const { partition } = entry;
    this.unfinished++;
    partition.beginDeferring(entry);
    const deferralEnded = (): void => partition.endDeferring(entry);
    let records: Iterable<OutRecord>;
    try {
      // The relief valve calls this only if the stage has `defer` (record-work.ts).
      records = stage.defer!(entry, slotAt, isTurn);
    } catch (bug) {
      return void this.#again(entry, bug).then(deferralEnded);
    }
    this.#emit(entry, records, {
      count: () => metrics.deferrals(),
      deferralEnded,
    });
  }

  /** Ends all back-offs. The records that wait in them are not tried again, and their offsets stay open. */
  stop(): void {
    this.#production.stop();
  }

  /** Resolves when no handler runs, no output is unacknowledged and no record waits out a back-off. */
  idle(): Promise<void> {
    if (this.inFlight === 0 && this.unfinished === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#onIdle;
      this.#onIdle = () => {
        before?.();
        resolve();
      };
    });
  }

  #decided(entry: OpenRecord<In>, verdict: Verdict, isAtOnce = false): void {
    this.#handled(entry, true, isAtOnce);
    if (verdict.kind === "emit") this.#emit(entry, verdict.records);
    else this.#deadLetter(entry, verdict);
  }

  #threw(entry: OpenRecord<In>, bug: unknown): void {
    this.#handled(entry, false);
    void this.#again(entry, bug);
  }

  /** The record's handler ended. Its lane may start the next record; it does not wait for the output. */
  #handled(
    entry: OpenRecord<In>,
    isCompleted: boolean,
    isAtOnce = false,
  ): void {
    this.#running.delete(entry);
    this.inFlight--;
    this.unfinished++;
    // `Lanes.take` has set the lane of a record in flight.
    this.#options.lanes.settle(entry.lane!, isCompleted, isAtOnce);
    this.#options.handlerEnded();
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

  /** The record's production ended. */
  #ended(
    entry: OpenRecord<In>,
    ending: Ending,
    { count, deferralEnded }: RecordEnd,
  ): void {
    switch (ending.kind) {
      case "threw":
        return void this.#again(entry, ending.bug).then(deferralEnded);
      case "acknowledged":
        this.#finish(entry, count);
        break;
      case "given_back":
        break; // its offset stays open
    }
    deferralEnded?.();
    this.#left();
  }

  /** Everything that follows is acknowledged. An error thrown here must not make the record be handled again. */
  #finish(entry: OpenRecord<In>, count?: () => void): void {
    const { log, done } = this.#options;
    try {
      done(entry);
    } catch (error) {
      logAftermath(log, entry.raw, error);
    }
    if (count !== undefined) logThrown(log, entry.raw, count);
  }

  /** Puts the record back into its lane after a back-off. After an `UnfitValueError` it becomes a dead letter instead: the stage would throw the same again. */
  async #again(entry: OpenRecord<In>, bug: unknown): Promise<void> {
    if (bug instanceof UnfitValueError) {
      this.#production.report(entry, bug, 0);
      this.giveUp(entry, "invalid", bug.message);
      return this.#left();
    }
    if (await this.#production.backOff(entry, bug)) this.#options.again(entry);
    this.#left();
  }

  /** A record is no longer here: done, given back, or in its lane again. */
  #left(): void {
    this.unfinished--;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#onIdle === null || this.inFlight > 0 || this.unfinished > 0)
      return;
    const onIdle = this.#onIdle;
    this.#onIdle = null;
    onIdle();
  }
}
