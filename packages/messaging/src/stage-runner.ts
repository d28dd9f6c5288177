/**
 * The stage runner: every promise made to Kafka for a stage lives here and in the small files that it is made of.
 *
 *     fetch → decode → lane → handle → produce → done → commit
 *     record-intake   lanes   record-flow        committer        assignment: from where, and whose
 *
 * At least once, because an offset is open from its reading until all that follows from it is acknowledged, and a commit
 * names the lowest open offset and lists the others (offset-tracker, offset-metadata). Seldom more than once, because
 * commits are continuous, because nothing starts while they, the output or the heartbeats stall (start-gate), and because
 * a clean stop finishes, produces and commits before it leaves the group.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EpochMs } from "@postrider/core";
import { Assignment } from "./assignment.ts";
import { Committer } from "./committer.ts";
import { createDeadLetterOf, type DeadLetterOf } from "./dead-letter-of.ts";
import { Lanes } from "./lanes.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import type { Consumer, ConsumerListener } from "./ports.ts";
import { RecordFlow } from "./record-flow.ts";
import { RecordIntake } from "./record-intake.ts";
import { ReliefValve } from "./relief-valve.ts";
import { runnerHealth, type RunnerHealth } from "./runner-health.ts";
import { RUNNER_LIMITS, type RunnerLimits } from "./runner-limits.ts";
import { runnerMetrics, type RunnerMetrics } from "./runner-metrics.ts";
import { SchemaWait } from "./schema-wait.ts";
import type {
  RunnerStats,
  StageRunner,
  StageRunnerOptions,
} from "./stage-runner-options.ts";
import { startGate, type Blocked } from "./start-gate.ts";
import type { Unfinished } from "./unfinished.ts";

export type { RunnerStats, StageRunner, StageRunnerOptions };

/** Joins the group on `start`, which resolves once it fetches. */
export function createStageRunner<In>(
  options: StageRunnerOptions<In>,
): StageRunner {
  return new Runner(options);
}

/** How often the runner looks at what no event tells: stalls that ended, waits that are over, ms. */
const TICK_MS = 50;
const GAUGES_MS = 1000;
/** Starts between two looks at the gate. */
const STARTS_PER_LOOK = 128;
/** Of the time that a stop is given, what output, commit and leaving the group keep, at most, ms. */
const STOP_RESERVE_MS = 5000;

class Runner<In> implements StageRunner, ConsumerListener {
  readonly #options: StageRunnerOptions<In>;
  readonly #limits: RunnerLimits;
  readonly #consumer: Consumer;
  readonly #metrics: RunnerMetrics;
  readonly #lanes: Lanes<Unfinished<In>>;
  readonly #assignment: Assignment;
  readonly #committer: Committer;
  readonly #intake: RecordIntake<In>;
  readonly #flow: RecordFlow<In>;
  readonly #schemas: SchemaWait<In>;
  readonly #valve: ReliefValve<In>;
  readonly #gate: ReturnType<typeof startGate>;
  readonly #abort = new AbortController();
  #isConnected = false;
  #isStopping = false;
  #stopped: Promise<void> | null = null;
  #tick: NodeJS.Timeout | null = null;
  #tickAt: number;
  #gaugesAt = 0;
  #startedAt: number;
  #handled = 0;

  constructor(options: StageRunnerOptions<In>) {
    const { stage, decode, output, log, meter, clock, name } = options;
    const limits = { ...RUNNER_LIMITS, ...options.limits };
    const metrics = runnerMetrics(meter, name);
    const consumer = options.kafka.consumer({
      groupId: options.groupId,
      topics: options.topics,
      sessionTimeoutMs: limits.sessionTimeoutMs,
      maxBytesPerPartition: limits.maxBytesPerPartition,
    });
    this.#options = options;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#consumer = consumer;
    this.#tickAt = this.#startedAt = clock.monotonic();
    this.#gate = startGate(limits, output, clock);
    this.#lanes = new Lanes((lane) => stage.laneConcurrency(lane));
    this.#schemas = new SchemaWait(decode, limits.unknownSchemaWaitMs);
    this.#committer = new Committer({
      stage: name,
      consumer,
      tag: randomBytes(6).toString("base64url"),
      intervalMs: limits.commitIntervalMs,
      observer: options.observer,
      log,
      meter,
      clock,
    });
    this.#flow = new RecordFlow({
      stage,
      lanes: this.#lanes,
      output,
      deadLetterOf:
        options.deadLetterOf ?? createDeadLetterOf({ stage: name, clock }),
      signal: this.#abort.signal,
      log,
      metrics,
      settled: () => this.#pump(),
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
        decoded: (entry) => this.#enqueue(entry, false),
        unreadable: (entry, why) =>
          this.#unreadable(entry, why.reason, why.detail),
        unknownSchema: (entry, schema) =>
          this.#schemas.add(entry, schema, clock.monotonic()),
        passed: (partition) => this.#committer.changed(partition),
        pressed: () => this.#relieve(),
      },
    });
    this.#valve = new ReliefValve({
      stage,
      limits,
      lanes: this.#lanes,
      intake: this.#intake,
      flow: this.#flow,
      output,
      clock,
      loopUse: options.loopUse ?? (() => performance.eventLoopUtilization()),
    });
    this.#assignment = new Assignment({
      consumer,
      warmUpRecords: stage.remember === undefined ? 0 : limits.warmUpRecords,
      log,
      events: {
        lost: (partition) => this.#lost(partition),
        reading: (partition) => this.#reading(partition),
        misplaced: (partition) => this.#committer.commitSoon(partition),
        settled: (epoch) => this.#settled(epoch),
        offsetsLost: (_partition, count) => metrics.lostOffsets(count),
      },
    });
  }

  async start(): Promise<void> {
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    await this.#consumer.start(this);
  }

  stop(deadline: EpochMs): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  health(): RunnerHealth {
    const { clock, output, name } = this.#options;
    const now = clock.monotonic();
    const blocked = this.#blocked();
    const isWorkReady = this.#lanes.hasReady && blocked === null;
    let waiting = 0;
    for (const { isFull, waiting: records } of this.#assignment.all())
      if (isFull && records > 0) waiting++;
    return runnerHealth({
      stage: name,
      isConnected: this.#isConnected,
      sinceHeartbeatMs: now - this.#consumer.lastHeartbeatAt(),
      isSettled: this.#assignment.isSettled,
      isStopping: this.#isStopping,
      blocked,
      commitAgeMs: this.#committer.ageMs(),
      unacknowledged: output.unacknowledged(),
      oldestUnacknowledgedMs: output.oldestUnacknowledgedMs(),
      partitionsWaitingForSchemas: waiting,
      schemas: this.#schemas.schemas(),
      sinceTickMs: now - this.#tickAt,
      sinceFetchMs: now - this.#consumer.lastFetchAt(),
      readyWorkMs: isWorkReady ? now - this.#startedAt : 0,
    });
  }

  stats(): RunnerStats {
    let open = 0;
    for (const { tracker } of this.#assignment.all()) open += tracker.openCount;
    return {
      partitions: this.#assignment.size,
      open,
      queued: this.#lanes.queued,
      inFlight: this.#flow.inFlight,
      lanes: this.#lanes.size,
      commitAgeMs: this.#committer.ageMs(),
    };
  }

  // The consumer's events.

  connected(isConnected: boolean): void {
    this.#isConnected = isConnected;
  }

  revoking(): void {
    this.#assignment.revoking();
    this.#committer.end();
  }

  assigned(
    ...[epoch, partitions]: Parameters<ConsumerListener["assigned"]>
  ): void {
    // After an eviction no `revoking` came: what was computed for the old assignment must not be committed.
    this.#committer.end();
    this.#assignment.assigned(epoch, partitions);
    this.#intake.splitBudget(partitions.length);
  }

  batch(...[epoch, batch]: Parameters<ConsumerListener["batch"]>): void {
    const partition =
      epoch === this.#assignment.epoch ? this.#assignment.get(batch) : null;
    if (partition === null || this.#isStopping) return;
    this.#intake.batch(partition, batch);
    this.#pump();
  }

  outOfRange(
    ...[epoch, partition]: Parameters<ConsumerListener["outOfRange"]>
  ): void {
    void this.#assignment.outOfRange(epoch, partition);
  }

  // The assignment's events.

  #lost(partition: OwnedPartition): void {
    this.#committer.forget(partition);
    this.#lanes.removeWhere((entry) => entry.partition === partition);
    this.#options.stage.forget?.({
      topic: partition.topic,
      partition: partition.partition,
    });
    this.#metrics.lag(partition.topic, partition.partition, 0);
  }

  #reading(partition: OwnedPartition): void {
    if (!this.#isStopping) this.#intake.flow(partition);
  }

  #settled(epoch: number): void {
    this.#committer.begin(epoch);
    this.#pump();
  }

  // Records.

  #enqueue(entry: Unfinished<In>, isAgain: boolean): void {
    const now = this.#options.clock.monotonic();
    try {
      const lane = this.#options.stage.laneOf(entry);
      if (isAgain) this.#lanes.pushAhead(lane, entry, now);
      else this.#lanes.push(lane, entry, now);
    } catch (error) {
      this.#unreadable(
        entry,
        "unreadable",
        `The stage could not place it: ${String(error)}`,
      );
    }
    if (isAgain) this.#pump();
  }

  #unreadable(
    entry: Unfinished<In>,
    ...why: [reason: Parameters<DeadLetterOf>[1], detail: string]
  ): void {
    this.#metrics.decodeFailures();
    void this.#flow.reject(entry, ...why);
  }

  #done(entry: Unfinished<In>): void {
    const { partition } = entry;
    if (partition.state === "lost" || !partition.close(entry)) return;
    // First of all, so that it is committed whatever the rest does.
    this.#committer.changed(partition);
    // Counted with the gauges: a labelled counter costs more than all else that is done here.
    this.#handled++;
    this.#options.observer?.completed(
      partition.topic,
      partition.partition,
      entry.raw.offset,
    );
    if (partition.isPressed || partition.isFull) this.#relax(partition);
    if (this.#lanes.hasReady) this.#pump();
  }

  /** Starts what may be started. */
  #pump(): void {
    if (!this.#lanes.hasReady || this.#blocked() !== null) return;
    for (
      let started = 1;
      this.#flow.inFlight < this.#limits.maxInFlight;
      started++
    ) {
      const entry = this.#lanes.take();
      if (entry === null) break;
      void this.#flow.handle(entry);
      if (started % STARTS_PER_LOOK === 0 && this.#blocked() !== null) break;
    }
    if (this.#lanes.hasReady && this.#flow.inFlight >= this.#limits.maxInFlight)
      this.#valve.limited();
    this.#startedAt = this.#options.clock.monotonic();
  }

  #relax(partition: OwnedPartition): void {
    if (this.#isStopping) return;
    this.#intake.relax(partition);
    if (partition.isPressed) this.#relieve();
  }

  #relieve(): void {
    if (this.#blocked() === null) this.#valve.relieve();
  }

  #blocked(): Blocked | null {
    const blocked = this.#gate({
      isStopping: this.#isStopping,
      isSettled: this.#assignment.isSettled,
      lastHeartbeatAt: this.#consumer.lastHeartbeatAt(),
      commitAgeMs: this.#committer.ageMs(),
    });
    this.#valve.gated(blocked);
    return blocked;
  }

  #onTick(): void {
    const now = this.#options.clock.monotonic();
    this.#tickAt = now;
    this.#valve.sample();
    this.#blocked();
    if (!this.#isStopping) {
      for (const waited of this.#schemas.due(now)) {
        const { entry, decoded } = waited;
        if (decoded === null)
          this.#unreadable(
            entry,
            "unknown_schema",
            `The schema ${waited.schema} could not be had in time.`,
          );
        else if (decoded.kind === "unreadable")
          this.#unreadable(entry, decoded.reason, decoded.detail);
        else {
          entry.value = decoded.value;
          this.#enqueue(entry, false);
        }
      }
      for (const { isPressed } of this.#assignment.all())
        if (isPressed) {
          this.#relieve();
          break;
        }
      this.#pump();
    }
    if (now - this.#gaugesAt >= GAUGES_MS) this.#setGauges(now);
  }

  #setGauges(now: number): void {
    this.#gaugesAt = now;
    this.#lanes.sweep(this.#options.clock.now());
    this.#lanes.turnMeasures(now);
    const { open, queued, inFlight, commitAgeMs } = this.stats();
    this.#metrics.handled(this.#handled);
    this.#handled = 0;
    this.#metrics.open(open);
    this.#metrics.queued(queued);
    this.#metrics.inFlight(inFlight);
    this.#metrics.commitAge(commitAgeMs / 1000);
    this.#metrics.schemaWaiting(this.#schemas.size);
    for (const {
      topic,
      partition,
      highWatermark,
      tracker,
    } of this.#assignment.all())
      this.#metrics.lag(
        topic,
        partition,
        Math.max(0, highWatermark - tracker.next) + tracker.openCount,
      );
  }

  async #stop(deadline: EpochMs): Promise<void> {
    const { clock, log, name } = this.#options;
    const left = Math.max(0, deadline - clock.now());
    const reserve = Math.min(STOP_RESERVE_MS, left / 4);
    this.#isStopping = true;
    this.#consumer.pause([...this.#assignment.all()]);
    this.#lanes.removeWhere(() => true);
    this.#schemas.clear();
    this.#flow.stop();
    for (const partition of this.#assignment.all()) partition.backlog = null;

    await this.#until(this.#flow.idle(), deadline - reserve);
    this.#abort.abort();
    await this.#until(this.#flow.idle(), deadline - reserve / 2);
    await this.#until(this.#commitAll(deadline), deadline);
    log.info("runner.stopped", {
      stage: name,
      uncommittedMs: this.#committer.ageMs(),
      unfinished: this.#flow.inFlight + this.#flow.producing,
    });
    this.#assignment.stop();
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#setGauges(clock.monotonic());
    await this.#consumer.stop(deadline);
  }

  async #commitAll(deadline: EpochMs): Promise<void> {
    const isOver = () => this.#options.clock.now() >= deadline;
    // Not at the first try between two assignments: the next one may still take the commit.
    while (!(await this.#committer.drain(isOver)) && !isOver())
      await sleep(TICK_MS);
  }

  /** Resolves with the work, or at the deadline. */
  async #until(work: Promise<void>, deadline: EpochMs): Promise<void> {
    const cancel = new AbortController();
    const ms = Math.max(0, deadline - this.#options.clock.now());
    await Promise.race([
      work,
      sleep(ms, undefined, { signal: cancel.signal }).catch(() => undefined),
    ]);
    cancel.abort();
  }
}
