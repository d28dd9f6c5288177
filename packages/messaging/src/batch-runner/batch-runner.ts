/**
 * The batch runner writes the records of a topic into a table, each record once. Why exactly once: `batch-protocol.ts`. The loop of
 * an assignment: `batch-assignment.ts`. This file starts and ends the assignments of one group member.
 *
 * With every assignment each partition begins anew from the stored commit, even one that we owned before. An insert that is in flight
 * then may run twice concurrently; both runs carry the same token, so the table stores the rows once. So no state has to be carried
 * over a rebalance.
 */
import { within } from "@postrider/runtime";
import type { EpochMs } from "@postrider/core";
import { BatchAssignment } from "./batch-assignment.ts";
import { batchHealth } from "./batch-health.ts";
import type { AssignmentHost } from "./partition-host.ts";
import { createBatchJudge } from "./batch-judge.ts";
import { createBatchReporter } from "./batch-reporter.ts";
import {
  BATCH_RUNNER_LIMITS,
  batchLimits,
  type BatchCheck,
  type BatchRunner,
  type BatchRunnerLimits,
  type BatchRunnerOptions,
} from "./batch-runner-options.ts";
import { createCommitLane } from "./commit-lane.ts";
import { placeAnew } from "./place-anew.ts";
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
    ability: "span",
    // The broker may hold a fetch for as long as a batch lingers.
    minBytes: LARGE_FETCH_BYTES,
    maxWaitMs: Math.min(Math.max(limits.lingerMs, 20), LONGEST_WAIT_MS),
  });
  const commit = createCommitLane(consumer);
  const giveUp = new AbortController();
  const running = new Set<Promise<void>>();
  let assignment: BatchAssignment<Row> | null = null;
  let epoch = -1;
  let hasStarted = false;
  let isConnected = false;
  let stopping: Promise<void> | null = null;

  function hostOf(
    ownEpoch: number,
    count: number,
    mayShare: boolean,
  ): AssignmentHost<Row> {
    const { reducedRowOf } = stage;
    const isCurrent = () => ownEpoch === epoch && stopping === null;
    return {
      table: target.table,
      topic,
      limits: batchLimits(limits, count),
      mayShare,
      judge,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      random,
      isLeaseValid: () =>
        clock.monotonic() - consumer.lastHeartbeatAt() <
        LEASE_SHARE * limits.sessionTimeoutMs,
      fetchCommitted: (source) =>
        only(consumer.fetchCommitted([source]), source),
      fetchLogRange: (source) =>
        only(consumer.fetchLogRanges([source]), source),
      fetchOnce: (source, offset, maxBytes) =>
        consumer.fetchOnce(source, offset, maxBytes),
      commit: async (commits) => {
        await commit(ownEpoch, commits);
        for (const each of commits) reporter.committed(each, each.offset);
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
      pause: (source) => isCurrent() && consumer.pause([source]),
      resume: (source) => isCurrent() && consumer.resume([source]),
      seek: (source, offset) => isCurrent() && consumer.seek(source, offset),
      report: (place, fact) => reporter.report(place, fact),
    };
  }

  const listener: ConsumerListener = {
    assigned(newEpoch, assigned, allAble = false) {
      assignment?.end();
      assignment = null;
      epoch = newEpoch;
      if (stopping !== null) return;
      const begun = new BatchAssignment(
        assigned,
        hostOf(epoch, assigned.length, allAble),
      );
      assignment = begun;
      running.add(begun.done);
      void begun.done.then(() => running.delete(begun.done));
      reporter.assigned(assigned);
    },
    revoking() {
      // Finishes what is announced, so that fewer batches have to be repeated by the next owners.
      assignment?.leave();
    },
    batch(batchEpoch, batch) {
      if (batchEpoch !== epoch) return;
      assignment?.push(batch);
      reporter.fetched(batch, assignment?.baseOf(batch.partition) ?? null);
    },
    outOfRange(lostEpoch, source) {
      const current = assignment;
      if (lostEpoch !== epoch || current === null) return;
      void placeAnew(source, {
        assignment: current,
        isWanted: () => current === assignment && stopping === null,
        fetchLogRange: () => only(consumer.fetchLogRanges([source]), source),
        random,
        signal: giveUp.signal,
        report: (error) => reporter.report(source, { kind: "failed", error }),
      });
    },
    connected(isUp) {
      isConnected = isUp;
    },
  };

  async function stop(deadline: EpochMs): Promise<void> {
    consumer.beginLeaving(); // what it were given now would wait until it has left
    const sources = assignment?.sources ?? [];
    if (sources.length > 0) consumer.pause(sources);
    assignment?.drain();
    const left = Math.max(deadline - clock.now() - LEAVE_MS, 0);
    await within(Promise.all(running), left);
    giveUp.abort();
    assignment?.end();
    await consumer.stop(deadline); // after the last commit: kafkajs drops commits during its stop
  }

  return {
    start() {
      hasStarted = true;
      return consumer.start(listener);
    },
    stop(deadline) {
      stopping ??= Promise.resolve().then(() => stop(deadline));
      return stopping;
    },
    health: () =>
      batchHealth({
        name: options.name,
        hasStarted,
        isConnected,
        sinceFetchMs: clock.monotonic() - consumer.lastFetchAt(),
        assignment,
      }),
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
