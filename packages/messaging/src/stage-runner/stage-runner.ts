/**
 * The stage runner keeps the promises that Postrider makes for a stage that reads from Kafka. This file wires the parts:
 *
 *     fetch → decode → lane → handle → produce → done → commit
 *     assignment  record-work: intake, lanes, flow      committer
 *
 * At least once: an offset is open from the moment its record is read until every record that follows from it is
 * acknowledged. A commit carries the lowest open offset and, in its metadata, the other open ones (offset-tracker,
 * offset-metadata).
 *
 * Seldom more than once: commits are continuous; no handler starts while commits, output or heartbeats stall (start-gate);
 * a clean stop finishes, produces and commits before it leaves the group. If a stage's handlers may wait for long, quick lanes
 * go on meanwhile (wind-down).
 */
import { randomBytes } from "node:crypto";
import type { EpochMs } from "@postrider/core";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import { Assignment } from "../offsets/assignment.ts";
import { Committer } from "../offsets/committer.ts";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import type { Consumer, ConsumerListener } from "../ports.ts";
import { RecordWork } from "./record-work.ts";
import { runnerHealth, type RunnerHealth } from "./runner-health.ts";
import { RUNNER_LIMITS } from "./runner-limits.ts";
import { runnerMetrics, type RunnerMetrics } from "./runner-metrics.ts";
import { finishAndCommit, RESERVE_MS } from "./runner-stop.ts";
import type {
  RunnerStats,
  StageRunner,
  StageRunnerOptions,
} from "./stage-runner-options.ts";
import { startGate } from "./start-gate.ts";

export type { RunnerStats, StageRunner, StageRunnerOptions };

/** Creates a runner. Its `start` joins the group, and resolves once the consumer fetches. */
export function createStageRunner<In>(
  options: StageRunnerOptions<In>,
): StageRunner {
  return new Runner(options);
}

const TICK_MS = 50;
/** While no record is open there is nothing to go on with. */
const IDLE_TICK_MS = 500;
const GAUGES_MS = 1000;

class Runner<In> implements StageRunner, ConsumerListener {
  readonly #options: StageRunnerOptions<In>;
  readonly #consumer: Consumer;
  readonly #metrics: RunnerMetrics;
  readonly #assignment: Assignment;
  readonly #committer: Committer;
  readonly #work: RecordWork<In>;
  #isConnected = false;
  #isStopping = false;
  #stopped: Promise<void> | null = null;
  #tick: NodeJS.Timeout | undefined;
  #isIdle = false;
  #tickAt: number;
  #gaugesAt = 0;

  constructor(options: StageRunnerOptions<In>) {
    const { stage, decode, output, log, meter, clock, name } = options;
    const limits = { ...RUNNER_LIMITS, ...options.limits };
    const metrics = runnerMetrics(meter, name);
    const consumer = options.kafka.consumer({
      groupId: options.groupId,
      topics: options.topics,
      sessionTimeoutMs: limits.sessionTimeoutMs,
      maxBytesPerPartition: limits.maxBytesPerPartition,
      minBytes: limits.minFetchBytes,
    });
    const gate = startGate(limits, output, clock);
    this.#options = options;
    this.#metrics = metrics;
    this.#consumer = consumer;
    this.#tickAt = clock.monotonic();
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
    this.#assignment = new Assignment({
      consumer,
      warmUp: {
        records: stage.remember === undefined ? 0 : limits.warmUpRecords,
        ms: limits.warmUpMs,
      },
      clock,
      log,
      events: {
        lost: (partition) => this.#lost(partition),
        reading: (partition) => this.#work.reading(partition),
        misplaced: (partition) => this.#committer.commitSoon(partition),
        settled: (epoch) => this.#settled(epoch),
        offsetsLost: (_partition, count) => metrics.lostOffsets(count),
      },
    });
    this.#work = new RecordWork({
      stage,
      decode,
      output,
      deadLetterOf:
        options.deadLetterOf ?? createDeadLetterOf({ stage: name, clock }),
      log,
      clock,
      loopUse: options.loopUse ?? (() => performance.eventLoopUtilization()),
      observer: options.observer,
      limits,
      consumer,
      metrics,
      partitions: () => this.#assignment.all(),
      gate: () =>
        gate({
          isStopping: this.#isStopping,
          isSettled: this.#assignment.isSettled,
          lastHeartbeatAt: consumer.lastHeartbeatAt(),
          commitAgeMs: this.#committer.ageMs(),
          waitsFor: options.waitsFor?.() ?? null,
        }),
      changed: (partition) => this.#committer.changed(partition),
    });
  }

  async start(): Promise<void> {
    this.#tickAt = this.#options.clock.monotonic();
    this.#tickIn(IDLE_TICK_MS);
    await this.#consumer.start(this);
  }

  stop(deadline: EpochMs): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  health(): RunnerHealth {
    const { clock, output, name, waitsFor } = this.#options;
    const now = clock.monotonic();
    const blocked = this.#work.blocked();
    let waiting = 0;
    for (const { isFull, waiting: records } of this.#assignment.all())
      if (isFull && records > 0) waiting++;
    return runnerHealth({
      stage: name,
      hasStarted: this.#tick !== undefined,
      hasJoined: this.#assignment.epoch > 0,
      isConnected: this.#isConnected,
      sinceHeartbeatMs: now - this.#consumer.lastHeartbeatAt(),
      isSettled: this.#assignment.isSettled,
      isStopping: this.#isStopping,
      blocked,
      waitsFor: waitsFor?.() ?? null,
      commitAgeMs: this.#committer.ageMs(),
      unacknowledged: output.unacknowledged(),
      oldestUnacknowledgedMs: output.oldestUnacknowledgedMs(),
      waitingForSchemas: this.#work.counts.waitingForSchemas,
      partitionsWaitingForSchemas: waiting,
      schemas: this.#work.schemas,
      sinceTickMs: now - this.#tickAt,
      sinceFetchMs: now - this.#consumer.lastFetchAt(),
      readyWorkMs: blocked === null ? this.#work.readyMs(now) : 0,
    });
  }

  stats(): RunnerStats {
    let open = 0;
    for (const { tracker } of this.#assignment.all()) open += tracker.openCount;
    const { queued, inFlight, lanes } = this.#work.counts;
    return {
      partitions: this.#assignment.size,
      open,
      queued,
      inFlight,
      lanes,
      commitAgeMs: this.#committer.ageMs(),
    };
  }

  // ConsumerListener: called by the consumer.

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
    // A member that was evicted gets no `revoking`. Commits computed for the old assignment must not leave under the new one.
    this.#committer.end();
    this.#metrics.assignments();
    this.#assignment.assigned(epoch, partitions);
    this.#work.splitBudget(partitions.length);
  }

  batch(...[epoch, batch]: Parameters<ConsumerListener["batch"]>): void {
    const partition =
      epoch === this.#assignment.epoch ? this.#assignment.get(batch) : null;
    if (partition === null) return;
    if (this.#isIdle && !this.#isStopping) this.#onTick(false);
    this.#work.batch(partition, batch);
  }

  outOfRange(
    ...[epoch, partition]: Parameters<ConsumerListener["outOfRange"]>
  ): void {
    void this.#assignment.outOfRange(epoch, partition);
  }

  // Called by `Assignment`.

  #lost(partition: OwnedPartition): void {
    this.#committer.forget(partition);
    this.#work.lost(partition);
    this.#metrics.lag(partition.topic, partition.partition, 0);
  }

  #settled(epoch: number): void {
    this.#committer.begin(epoch);
    this.#work.pump();
  }

  #tickIn(ms: number): void {
    clearTimeout(this.#tick);
    this.#isIdle = ms === IDLE_TICK_MS;
    this.#tick = setTimeout(() => this.#onTick(this.stats().open === 0), ms);
  }

  #onTick(isIdle: boolean): void {
    const now = this.#options.clock.monotonic();
    this.#tickAt = now;
    this.#work.tick(now);
    if (now - this.#gaugesAt >= GAUGES_MS) this.#setGauges(now);
    this.#tickIn(isIdle ? IDLE_TICK_MS : TICK_MS);
  }

  #setGauges(now: number): void {
    this.#gaugesAt = now;
    this.#work.turn(now);
    const { open, queued, inFlight, lanes, commitAgeMs } = this.stats();
    this.#metrics.handled(this.#work.takeHandled());
    this.#metrics.open(open);
    this.#metrics.queued(queued);
    this.#metrics.inFlight(inFlight);
    this.#metrics.commitAge(commitAgeMs / 1000);
    const { waitingForSchemas, throttledLanes } = this.#work.counts;
    this.#metrics.schemaWaiting(waitingForSchemas);
    this.#metrics.throttledLanes(throttledLanes);
    this.#metrics.lanes(lanes);
    let openBytes = 0;
    for (const partition of this.#assignment.all()) {
      openBytes += partition.bytes;
      this.#metrics.lag(
        partition.topic,
        partition.partition,
        partition.lagRecords,
      );
    }
    this.#metrics.openBytes(openBytes);
  }

  async #stop(deadline: EpochMs): Promise<void> {
    const { clock, log, name } = this.#options;
    this.#consumer.beginLeaving();
    await this.#work.windDown(deadline - RESERVE_MS);
    this.#isStopping = true;
    this.#consumer.pause([...this.#assignment.all()]);
    await finishAndCommit(this.#work, this.#committer, { deadline, clock });
    const { inFlight, unfinished } = this.#work.counts;
    log.info("runner.stopped", {
      stage: name,
      uncommittedMs: this.#committer.ageMs(),
      unfinished: inFlight + unfinished,
    });
    // A stop that gave up has commits left, which would be tried for as long as the process lives.
    this.#committer.end();
    this.#assignment.stop();
    clearTimeout(this.#tick);
    this.#setGauges(clock.monotonic());
    await this.#consumer.stop(deadline);
  }
}
