/**
 * The batch runner writes the records of a topic into a table, each record once. Why exactly once: `batch-protocol.ts`. The loop of
 * one partition: `batch-partition.ts`. This file starts and ends the partitions with the assignments of one group member.
 *
 * With every assignment each partition begins anew from the stored commit, even one that we owned before. An insert that is in flight
 * then may run twice concurrently; both runs carry the same token, so the table stores the rows once. So no state has to be carried
 * over a rebalance.
 */
import { sleep, within } from "@postrider/runtime";
import type { EpochMs } from "@postrider/core";
import { backOffMs } from "../back-off.ts";
import { batchHealth } from "./batch-health.ts";
import type { PartitionHost, Position } from "./partition-host.ts";
import { createBatchJudge } from "./batch-judge.ts";
import { BatchPartition } from "./batch-partition.ts";
import { createBatchReporter } from "./batch-reporter.ts";
import {
  BATCH_RUNNER_LIMITS,
  partitionLimits,
  type BatchCheck,
  type BatchRunner,
  type BatchRunnerLimits,
  type BatchRunnerOptions,
} from "./batch-runner-options.ts";
import { createCommitLane } from "./commit-lane.ts";
import {
  LARGE_FETCH_BYTES,
  LONGEST_WAIT_MS,
  type ConsumerListener,
  type TopicPartition,
} from "../ports.ts";

export type { BatchCheck, BatchRunner, BatchRunnerLimits, BatchRunnerOptions };

/** No insert begins later than this share of the session timeout after the last acknowledged heartbeat. */
const LEASE_SHARE = 0.8;
/** The last part of the time before the stop's deadline, kept for leaving the group, ms. */
const LEAVE_MS = 1_000;

/** Creates a runner with one group member on one topic. */
export function createBatchRunner<In, Row>(
  options: BatchRunnerOptions<In, Row>,
): BatchRunner {
  const { clock, topic, target, stage } = options;
  const limits = { ...BATCH_RUNNER_LIMITS, ...options.limits };
  const random = options.random ?? Math.random;
  const reporter = createBatchReporter(options);
  const { judge } = createBatchJudge({
    stage,
    decode: options.decode,
    unknownSchemaWaitMs: limits.unknownSchemaWaitMs,
    monotonic: () => clock.monotonic(),
  });
  const consumer = options.kafka.consumer({
    groupId: options.groupId,
    topics: [topic],
    sessionTimeoutMs: limits.sessionTimeoutMs,
    // The broker may hold a fetch for as long as a batch lingers.
    minBytes: LARGE_FETCH_BYTES,
    maxWaitMs: Math.min(Math.max(limits.lingerMs, 20), LONGEST_WAIT_MS),
  });
  const commit = createCommitLane(consumer);
  const giveUp = new AbortController();
  const running = new Set<Promise<void>>();
  let partitions = new Map<number, BatchPartition<Row>>();
  let epoch = -1;
  let isConnected = false;
  let stopping: Promise<void> | null = null;

  function hostOf(
    source: TopicPartition,
    ownEpoch: number,
    count: number,
  ): PartitionHost<Row> {
    const { reducedRowOf } = stage;
    const isCurrent = () => ownEpoch === epoch && stopping === null;
    return {
      table: target.table,
      limits: partitionLimits(limits, count),
      judge,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      random,
      isLeaseValid: () =>
        clock.monotonic() - consumer.lastHeartbeatAt() <
        LEASE_SHARE * limits.sessionTimeoutMs,
      fetchCommitted: () => only(consumer.fetchCommitted([source]), source),
      fetchLogRange: () => only(consumer.fetchLogRanges([source]), source),
      commit: async (offset, metadata) => {
        await commit(ownEpoch, { ...source, offset, metadata });
        reporter.committed(source, offset);
      },
      insert: (rows, token) =>
        reporter.timed(() => target.insert(rows, token, giveUp.signal)),
      mend: (rows, token) => target.mend(rows, token, giveUp.signal),
      refuse: async (entries, at) => {
        for (const entry of entries) reporter.refused(entry);
        if (reducedRowOf !== undefined) return; // inserted already, as reduced rows
        await options.output.send(
          entries.map((entry) =>
            options.deadLetterOf(entry.raw, entry.refusal, at),
          ),
        );
      },
      reducedRowOf:
        reducedRowOf === undefined
          ? undefined
          : (entry, at) =>
              reducedRowOf.call(stage, entry.raw, entry.refusal, at),
      pause: () => isCurrent() && consumer.pause([source]),
      resume: () => isCurrent() && consumer.resume([source]),
      seek: (offset) => isCurrent() && consumer.seek(source, offset),
      report: (fact) => reporter.report(source, fact),
    };
  }

  function begin(
    source: TopicPartition,
    count: number,
    known: Position | null = null,
  ): void {
    const partition = new BatchPartition(
      source,
      hostOf(source, epoch, count),
      known,
    );
    partitions.set(source.partition, partition);
    running.add(partition.done);
    void partition.done.then(() => running.delete(partition.done));
  }

  const listener: ConsumerListener = {
    assigned(newEpoch, assigned) {
      for (const partition of partitions.values()) partition.end();
      partitions = new Map();
      epoch = newEpoch;
      if (stopping !== null) return;
      for (const source of assigned) begin(source, assigned.length);
      reporter.assigned(assigned);
    },
    revoking() {
      // No last commit is needed: the next owner repeats an announced range, and finished ranges are committed at once anyway.
    },
    batch(batchEpoch, batch) {
      if (batchEpoch !== epoch) return;
      const partition = partitions.get(batch.partition);
      partition?.push(batch);
      reporter.fetched(batch, partition?.base ?? null);
    },
    outOfRange(lostEpoch, source) {
      if (lostEpoch === epoch) void recover(source);
    },
    connected(isUp) {
      isConnected = isUp;
    },
  };

  /** The log does not have our position. Below the log's start: keep what is queued and go on at the start. Above its end, the log was cut or made anew: begin the partition anew from our last commit. */
  async function recover(source: TopicPartition): Promise<void> {
    const partition = partitions.get(source.partition);
    if (partition === undefined) return;
    const ownEpoch = epoch;
    const isWanted = () => ownEpoch === epoch && stopping === null;
    // The consumer has paused the partition and reports this once. So retry until we have told it where to go on.
    for (let failures = 1; isWanted(); failures++) {
      try {
        const log = await only(consumer.fetchLogRanges([source]), source);
        if (!isWanted()) return;
        if ((partition.base ?? 0) <= log.end)
          return await partition.skipTo(log.start);
        partition.end();
        return begin(source, partitions.size, partition.lastCommit);
      } catch (error) {
        if (!isWanted()) return;
        reporter.report(source, { kind: "failed", error });
        const { signal } = giveUp;
        await sleep(backOffMs(failures, random()), { signal });
      }
    }
  }

  async function stop(deadline: EpochMs): Promise<void> {
    const sources = [...partitions.values()].map(({ source }) => source);
    if (sources.length > 0) consumer.pause(sources);
    for (const partition of partitions.values()) partition.drain();
    const left = Math.max(deadline - clock.now() - LEAVE_MS, 0);
    await within(Promise.all(running), left);
    giveUp.abort();
    for (const partition of partitions.values()) partition.end();
    await consumer.stop(deadline); // after the last commit: kafkajs drops commits during its stop
  }

  return {
    start: () => consumer.start(listener),
    stop(deadline) {
      stopping ??= Promise.resolve().then(() => stop(deadline));
      return stopping;
    },
    health: () =>
      batchHealth(options.name, isConnected, [...partitions.values()]),
  };
}

async function only<T extends TopicPartition>(
  answers: Promise<readonly T[]>,
  source: TopicPartition,
): Promise<T> {
  const answer = (await answers).find(
    ({ topic, partition }) =>
      topic === source.topic && partition === source.partition,
  );
  if (answer === undefined)
    throw new Error(`no answer for ${source.topic}/${source.partition}`);
  return answer;
}
