import type { Tier } from "@postrider/core";
import {
  createDeadLetterOf,
  createOutput,
  createSchemas,
  createServiceKafka,
  createStageRunner,
  groupIdOf,
  LARGE_FETCH_BYTES,
  LONGEST_WAIT_MS,
  topicName,
} from "@postrider/messaging";
import type { Composition, Effects, Lifecycle } from "@postrider/runtime";
import type { RetrySchedulerConfig } from "./config.ts";
import { createHoldStage } from "./hold.stage.ts";

/** How many records of one partition are held in memory. A tier is a FIFO: the next due record is always at the head, so a full buffer hides no due record. */
const PREFETCH_RECORDS = 4_096;
const PREFETCH_BYTES = 4 << 20;

/** Wires the retry scheduler: it reads every tier and writes each record to its next tier or to `deliveries`. */
export function compose(
  config: RetrySchedulerConfig,
  effects: Effects,
): Composition {
  const { log, meter, clock } = effects;
  const { topicPrefix: prefix, tiers, sessionTimeoutMs } = config;
  const { kafka, rights, topics, settings } = createServiceKafka(
    {
      config,
      service: "retry-scheduler",
      holders: ["retry-scheduler"],
      tiers: config.tiers,
    },
    effects,
  );
  const schemas = createSchemas({
    kafka,
    prefix,
    log,
    meter,
    clock,
    sessionTimeoutMs,
    registry: config,
  });
  const output = createOutput({
    kafka,
    prefix,
    // These topics' partitions are looked up before readiness; otherwise the first release would wait for the look-up.
    warm: ["deliveries", "dead-letters", ...tiers.map(({ topic }) => topic)],
    encode: (record) => schemas.encodeInPieces(record),
    deadLetterOf: createDeadLetterOf({ stage: "hold", clock }),
    log,
    meter,
    clock,
  });
  const byTopic = new Map(
    tiers.map((tier) => [topicName(prefix, tier.topic), tier]),
  );
  const stage = createHoldStage({
    tiers,
    tierOf: tierIn(byTopic),
    clock,
    meter,
  });
  const runner = createStageRunner({
    name: "hold",
    stage,
    // The records of every tier are deliveries.
    decode: schemas.decoderOf("deliveries"),
    kafka,
    groupId: groupIdOf(prefix, "retry-scheduler"),
    topics: [...byTopic.keys()],
    output,
    log,
    meter,
    clock,
    limits: {
      maxInFlight: Infinity,
      maxOpenPerPartition: PREFETCH_RECORDS,
      maxOpenBytesPerPartition: PREFETCH_BYTES,
      minFetchBytes: isAnySoonDue(tiers) ? 1 : LARGE_FETCH_BYTES,
      warmUpRecords: 0,
      sessionTimeoutMs,
      unknownSchemaWaitMs: config.unknownSchemaWaitMs,
    },
  });
  // A stopping runner finishes its open records. A held record could take an hour, so the stage gives all of them back; the
  // runner is told to stop first, because it would otherwise try them again.
  const holding: Lifecycle = {
    start: async () => await runner.start(),
    stop: async (deadline) => {
      const stopped = runner.stop(deadline);
      stage.giveBack();
      await stopped;
    },
  };
  const observed = [rights, topics, schemas, output, runner];
  return {
    parts: [rights, topics, settings, schemas, output, holding],
    health: {
      live: () => observed.flatMap((part) => part.health().live),
      ready: () => observed.flatMap((part) => part.health().ready),
    },
  };
}

/** True if a tier's delay is under four times a fetch's longest wait: such a wait, on a busy machine, might then delay its records. */
function isAnySoonDue(tiers: readonly Tier[]): boolean {
  return tiers.some(({ delayMs }) => delayMs < 4 * LONGEST_WAIT_MS);
}

function tierIn(byTopic: ReadonlyMap<string, Tier>): (topic: string) => Tier {
  return (topic) => {
    const tier = byTopic.get(topic);
    if (tier === undefined) throw new Error(`${topic} is no tier of ours`);
    return tier;
  };
}
