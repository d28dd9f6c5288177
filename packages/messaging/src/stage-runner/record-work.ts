/**
 * Wires the parts that handle a runner's records, from the fetched batch until each record is done.
 *
 *     record-intake ─decoded─▶ lanes ─▶ record-flow ─▶ done
 *          │      ▲              │ relief-valve: deferred ─▶ done
 *          ▼      └── relaxed    │
 *     schema-wait ───────────────┘
 *
 * Assignment and commits are not here: the runner (stage-runner.ts) holds them.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Clock, Log } from "@postrider/runtime";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import { Lanes } from "../lanes/lanes.ts";
import type { LoopUse } from "../lanes/saturation.ts";
import type { RunnerObserver } from "../offsets/offset-observer.ts";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import type { Output } from "../output-port.ts";
import type { Consumer, FetchedBatch } from "../ports.ts";
import { Alarm } from "./alarm.ts";
import { RecordFlow } from "./record-flow.ts";
import { RecordIntake } from "./record-intake.ts";
import { ReliefValve } from "./relief-valve.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import type { RunnerMetrics } from "./runner-metrics.ts";
import { SchemaWait, type Waited } from "./schema-wait.ts";
import type { Blocked } from "./start-gate.ts";
import type { OpenRecord } from "./open-record.ts";
import { ownBytes } from "./own-bytes.ts";
import type { Decoder, Stage } from "../stage.ts";
import { windDown } from "./wind-down.ts";

export interface RecordWorkOptions<In> {
  readonly stage: Stage<In>;
  readonly decode: Decoder<In>;
  readonly output: Output;
  readonly deadLetterOf: DeadLetterOf;
  readonly log: Log;
  readonly clock: Clock;
  readonly loopUse: () => LoopUse;
  readonly observer: RunnerObserver | undefined;
  readonly limits: RunnerLimits;
  readonly consumer: Pick<Consumer, "pause" | "resume" | "seek">;
  readonly metrics: RunnerMetrics;
  readonly partitions: () => Iterable<OwnedPartition>;
  /** Why no handler may start now; null if one may. */
  readonly gate: () => Blocked | null;
  /** There is something of the partition to commit. */
  readonly changed: (partition: OwnedPartition) => void;
}

export class RecordWork<In> {
  readonly #options: RecordWorkOptions<In>;
  readonly #lanes: Lanes<OpenRecord<In>>;
  readonly #intake: RecordIntake<In>;
  readonly #flow: RecordFlow<In>;
  readonly #schemas: SchemaWait<In>;
  readonly #valve: ReliefValve<In>;
  readonly #abort = new AbortController();
  /** Goes off when the first throttled lane is free. */
  readonly #alarm: Alarm;
  #isGivenBack = false;
  #isWindingDown = false;
  /** True while `pump` loops. A handler that ends synchronously calls `pump` again from inside that loop; such a call does nothing. */
  #isPumping = false;
  /** True while `#goOn` loops: no partition takes later records then. */
  #isGoingOn = false;
  #startedAt: MonotonicMs;
  #handled = 0;

  constructor(options: RecordWorkOptions<In>) {
    const { stage, decode, output, limits, consumer } = options;
    const { log, metrics, clock, loopUse } = options;
    this.#options = options;
    this.#startedAt = clock.monotonic();
    this.#alarm = new Alarm(clock, (now) => {
      this.#lanes.unthrottle(now);
      this.pump();
    });
    this.#lanes = new Lanes({
      concurrencyOf: (lane) => stage.laneConcurrency(lane),
      standingOf: stage.laneStanding?.bind(stage),
      limits: stage.laneRateLimit && {
        limitOf: stage.laneRateLimit.bind(stage),
        now: () => clock.monotonic(),
        throttledUntil: (at) => this.#alarm.set(at),
      },
      slots: limits.maxInFlight,
      hasGroups: stage.groupOf !== undefined,
    });
    this.#schemas = new SchemaWait(decode, limits.unknownSchemaWaitMs);
    this.#flow = new RecordFlow({
      stage,
      lanes: this.#lanes,
      output,
      deadLetterOf: options.deadLetterOf,
      signal: this.#abort.signal,
      log,
      clock,
      metrics,
      handlerEnded: () => this.pump(),
      done: (entry) => this.#done(entry),
      again: (entry) => this.#enqueue(entry, true),
    });
    this.#intake = new RecordIntake({
      stage,
      decode,
      limits,
      consumer,
      log,
      clock,
      events: {
        taking: () => this.#goOn(this.#schemas.come()),
        decoded: (entry) => this.#decoded(entry),
        unreadable: (entry, why) =>
          this.#unreadable(entry, why.reason, why.detail),
        unknownSchema: (entry, schema) =>
          this.#schemas.add(entry, schema, clock.monotonic()),
        passed: options.changed,
        pressed: () => this.#relieve(),
      },
    });
    this.#valve = new ReliefValve({
      limits,
      lanes: this.#lanes,
      bytesPerPartition: () => this.#intake.bytesPerPartition,
      defer:
        stage.defer === undefined
          ? null
          : (relieved) => this.#flow.defer(relieved),
      hasTurn: (entry) => stage.hasTurn?.(entry) ?? false,
      output,
      clock,
      loopUse,
    });
  }

  get counts() {
    return {
      queued: this.#lanes.queued,
      lanes: this.#lanes.size,
      throttledLanes: this.#lanes.throttledCount,
      inFlight: this.#flow.inFlight,
      unfinished: this.#flow.unfinished,
      waitingForSchemas: this.#schemas.size,
    };
  }

  /** A few of the schemas that records wait for. */
  get schemas(): string[] {
    return this.#schemas.schemas();
  }

  /** For how long a record has been ready and none was started, though the gate let it, ms; 0 if no record is ready. */
  readyMs(now: MonotonicMs): number {
    return this.#lanes.hasReady ? now - this.#startedAt : 0;
  }

  /** Records done since the last call. They are counted here because a labelled counter incremented for each record would cost more than all other work at that point. */
  takeHandled(): number {
    const handled = this.#handled;
    this.#handled = 0;
    return handled;
  }

  splitBudget(partitions: number): void {
    this.#intake.splitBudget(partitions);
  }

  batch(partition: OwnedPartition, batch: FetchedBatch): void {
    if (this.#isGivenBack) return;
    this.#intake.batch(partition, batch);
    this.pump();
  }

  /** The partition's position is known: fetching may go on. */
  reading(partition: OwnedPartition): void {
    if (!this.#isGivenBack) this.#intake.flow(partition);
  }

  /** Forgets the partition's records that have not started. Handlers in flight run to their end. */
  lost(partition: OwnedPartition): void {
    this.#lanes.removeWhere((entry) => entry.partition === partition);
    const { topic, partition: number } = partition;
    this.#options.stage.forget?.({ topic, partition: number });
  }

  /** Starts every record that may start. The gate is asked before each start, because the process can be frozen (SIGSTOP, a paused VM) between two. */
  pump(): void {
    const isWanted = this.#lanes.hasReady && !this.#isPumping;
    if (!isWanted || this.blocked() !== null) return;
    this.#isPumping = true;
    try {
      for (;;) {
        const entry = this.#lanes.take();
        if (entry === null) break;
        this.#flow.handle(entry);
        if (!this.#lanes.hasReady || this.blocked() !== null) break;
      }
    } finally {
      this.#isPumping = false;
    }
    if (this.#lanes.isShort) this.#valve.limited();
    this.#startedAt = this.#options.clock.monotonic();
  }

  /** Why no handler may start now; null if one may. Each call also tells the relief valve, which must not blame lanes for our stalls. */
  blocked(): Blocked | null {
    const { gate, clock } = this.#options;
    const blocked = gate();
    this.#valve.gated(blocked);
    // The time of a stall is not one in which a record was ready.
    if (blocked !== null) this.#startedAt = clock.monotonic();
    return blocked;
  }

  /** Does what no event triggers: goes on after a stall, ends waits for schemas, relieves lanes that became slow. Call about every 50 ms. */
  tick(now: MonotonicMs): void {
    this.#valve.sample();
    if (this.#isGivenBack) return;
    if (this.#lanes.isShort) this.#valve.limited();
    this.#goOn(this.#schemas.due(now));
    if (this.blocked() === null && !this.#isWindingDown) {
      if (this.#isPressed()) this.#valve.relieve();
      this.#valve.farTurns();
    }
    this.pump();
  }

  /** Call each second. */
  turn(now: MonotonicMs): void {
    this.#lanes.sweep(this.#options.clock.now());
    this.#lanes.turnMeasures(now);
    ownBytes(this.#lanes, this.#intake.decode, now);
  }

  /**
   * For a stop, if the stage knows how long its handlers take: lets quick lanes go on while slow handlers come to their end, all
   * of them before `endedBy` (wind-down.ts). No lane is relieved meanwhile: lanes that start nothing would look slow.
   */
  async windDown(endedBy: EpochMs): Promise<void> {
    const { clock, stage } = this.#options;
    const longestMs = stage.longestMs?.bind(stage);
    if (longestMs === undefined) return;
    this.#isWindingDown = true;
    const options = { endedBy, longestMs, clock };
    await windDown(this.#flow.running, this.#lanes, options);
  }

  /** For a stop: drops records that have not started. Their offsets stay open, so the partition's next owner handles them. */
  giveBack(): void {
    this.#isGivenBack = true;
    this.#lanes.removeWhere(() => true);
    this.#schemas.clear();
    this.#alarm.stop();
    this.#flow.stop();
    for (const partition of this.#options.partitions()) partition.dropBacklog();
  }

  /** Resolves when no handler runs, no output is unacknowledged and no record waits out a back-off. */
  idle(): Promise<void> {
    return this.#flow.idle();
  }

  /** Aborts the signal that handlers were given: they must end now. */
  abort(): void {
    this.#abort.abort();
  }

  #isPressed(): boolean {
    for (const { isPressed } of this.#options.partitions())
      if (isPressed) return true;
    return false;
  }

  #decoded(entry: OpenRecord<In>): void {
    let isRepeat: boolean;
    try {
      isRepeat = this.#options.stage.isRepeat?.(entry) ?? false;
    } catch (error) {
      const detail = `The stage could not compare it: ${String(error)}`;
      return this.#unreadable(entry, "unreadable", detail);
    }
    if (isRepeat) this.#done(entry);
    else this.#enqueue(entry, false);
  }

  #enqueue(entry: OpenRecord<In>, isAgain: boolean): void {
    const { stage, clock } = this.#options;
    const now = clock.monotonic();
    try {
      const lane = stage.laneOf(entry);
      const group = stage.groupOf?.(entry);
      if (isAgain) this.#lanes.pushAhead(lane, entry, now, group);
      else this.#lanes.push(lane, entry, now, group);
    } catch (error) {
      const detail = `The stage could not place it: ${String(error)}`;
      this.#unreadable(entry, "unreadable", detail);
    }
    if (isAgain) this.pump();
  }

  #unreadable(
    entry: OpenRecord<In>,
    ...why: [reason: Parameters<DeadLetterOf>[1], detail: string]
  ): void {
    this.#options.metrics.decodeFailures();
    this.#flow.giveUp(entry, ...why);
  }

  /** Queues all of these records, whose wait for a schema is over, before their partitions may take later records. */
  #goOn(waited: readonly Waited<In>[]): void {
    if (waited.length === 0) return;
    this.#isGoingOn = true;
    for (const one of waited) this.#waited(one);
    this.#isGoingOn = false;
    for (const partition of new Set(waited.map((one) => one.entry.partition)))
      if (partition.state === "reading") this.#relax(partition);
  }

  /** The record's wait for its schema is over. */
  #waited(waited: Waited<In>): void {
    const { entry, decoded } = waited;
    if (decoded === null) {
      const detail = `The schema ${waited.schema} could not be had in time.`;
      this.#unreadable(entry, "unknown_schema", detail);
    } else if (decoded.kind === "unreadable")
      this.#unreadable(entry, decoded.reason, decoded.detail);
    else {
      entry.value = decoded.value;
      this.#decoded(entry);
    }
  }

  #done(entry: OpenRecord<In>): void {
    const { partition } = entry;
    if (partition.state === "lost" || !partition.close(entry)) return;
    // First, so that the record is committed even if a later line throws.
    this.#options.changed(partition);
    this.#handled++;
    const { topic, partition: number } = partition;
    const { offset, unreadable } = entry.raw;
    const { observer } = this.#options;
    if (unreadable === undefined) observer?.completed(topic, number, offset);
    else observer?.completed(topic, number, offset, unreadable.lastOffset);
    if (partition.isPressed || partition.isFull) this.#relax(partition);
    if (this.#lanes.hasReady) this.pump();
  }

  #relax(partition: OwnedPartition): void {
    if (this.#isGivenBack || this.#isGoingOn) return;
    this.#intake.relax(partition);
    if (partition.isPressed) this.#relieve();
  }

  #relieve(): void {
    if (this.blocked() === null && !this.#isWindingDown) this.#valve.relieve();
  }
}
