import type { Tier } from "@postrider/core";
import {
  createDeadLetterOf,
  createKafka,
  createOutput,
  createSchemas,
  createStageRunner,
  createTimestampCheck,
  DEFAULT_MAX_WAIT_MS,
  LARGE_FETCH_BYTES,
  topicName,
} from "@postrider/messaging";
import type { Composition, Effects, Lifecycle } from "@postrider/runtime";
import type { RetrySchedulerConfig } from "./config.ts";
import { createHoldStage } from "./hold.stage.ts";

/** A partition's prefetch: a tier is a FIFO, so a full buffer never hides a due record. */
const PREFETCH_RECORDS = 4_096;
const PREFETCH_BYTES = 4 << 20;

/** The retry scheduler: every tier → the next tier, or `deliveries`. */
export function compose(
  config: RetrySchedulerConfig,
  effects: Effects,
): Composition {
  const { log, meter, clock } = effects;
  const { topicPrefix: prefix, tiers, sessionTimeoutMs } = config;
  const kafka = createKafka(
    { brokers: config.kafkaBrokers, clientId: "postrider-retry-scheduler" },
    effects,
  );
  const schemas = createSchemas({
    kafka,
    prefix,
    log,
    meter,
    clock,
    sessionTimeoutMs,
    schemaRegistryUrl: config.schemaRegistryUrl,
  });
  const output = createOutput({
    kafka,
    prefix,
    // Known before it is ready, or the first release would wait for that.
    warm: ["deliveries", "dead-letters", ...tiers.map(({ topic }) => topic)],
    encode: (record) => schemas.encode(record),
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
    // Every tier carries deliveries.
    decode: schemas.decoderOf("deliveries"),
    kafka,
    groupId: `${prefix}retry-scheduler`,
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
  // The runner finishes what is in flight; here that could take an hour, so it is given back once nothing is tried again.
  const holding: Lifecycle = {
    start: async () => await runner.start(),
    stop: async (deadline) => {
      const stopped = runner.stop(deadline);
      stage.giveBack();
      await stopped;
    },
  };
  const timestamps = createTimestampCheck({
    kafka,
    topics: [...byTopic.keys()],
    log,
  });
  const observed = [schemas, output, runner];
  return {
    parts: [schemas, output, holding, timestamps],
    health: {
      live: () => observed.flatMap((part) => part.health().live),
      ready: () => observed.flatMap((part) => part.health().ready),
    },
  };
}

/** So soon that the time for which a fetch waits for more would show. */
function isAnySoonDue(tiers: readonly Tier[]): boolean {
  return tiers.some(({ delayMs }) => delayMs < 5 * DEFAULT_MAX_WAIT_MS);
}

function tierIn(byTopic: ReadonlyMap<string, Tier>): (topic: string) => Tier {
  return (topic) => {
    const tier = byTopic.get(topic);
    if (tier === undefined) throw new Error(`${topic} is no tier of ours`);
    return tier;
  };
}
