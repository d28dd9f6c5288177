import type { EventRules, Source } from "@postrider/core";
import {
  createServiceKafka,
  createOutput,
  createSchemas,
  type DeadLetterOf,
  type Kafka,
  type ObservedOutput,
  type OutRecord,
  type RightsCheck,
  type Schemas,
  type TopicsCheck,
} from "@postrider/messaging";
import {
  type Check,
  createLiveKeyRing,
  type Effects,
  type KeyRing,
  type Lifecycle,
} from "@postrider/runtime";
import type { IngestConfig } from "./config.ts";
import { createSealedDeadLetterOf } from "./secrets/sealed-dead-letter.ts";

/** What door and route share. */
export interface Shared {
  readonly config: IngestConfig;
  readonly effects: Effects;
  readonly kafka: Kafka;
  readonly rights: RightsCheck;
  readonly topics: TopicsCheck;
  /** The configured sources; none without the route role. */
  readonly sources: readonly Source[];
  readonly sourceRights: RightsCheck;
  readonly schemas: Schemas;
  readonly keyRing: KeyRing;
  readonly rules: EventRules;
  readonly deadLetterOf: DeadLetterOf;
}

/** A role of the process (door or route): its parts in starting order, and their health. */
export interface RolePart {
  readonly parts: readonly Lifecycle[];
  readonly health: () => {
    readonly live: readonly Check[];
    readonly ready: readonly Check[];
  };
}

export function createShared(config: IngestConfig, effects: Effects): Shared {
  const { roles } = config;
  const sources = roles.includes("route") ? (config.sources ?? []) : [];
  const { kafka, rights, topics, sourceRights } = createServiceKafka(
    {
      config,
      service: "ingest",
      holders: roles,
      sources: sources.map(({ topic }) => topic),
    },
    effects,
  );
  const keyRing = createLiveKeyRing(config.encryptionKeys, effects);
  const schemas = createSchemas({
    kafka,
    prefix: config.topicPrefix,
    registry: config,
    sessionTimeoutMs: config.sessionTimeoutMs,
    ...effects,
  });
  const rules: EventRules = {
    maxPayloadBytes: config.maxPayloadBytes,
    url: {
      allowHttp: config.allowHttp,
      allowedCidrs: config.allowCidrs ?? [],
      deniedCidrs: config.denyCidrs ?? [],
    },
    inline: config.inlineDestinations,
  };
  const { clock } = effects;
  const deadLetterOf = createSealedDeadLetterOf({ keyRing, clock });
  return {
    config,
    effects,
    kafka,
    rights,
    topics,
    sources,
    sourceRights,
    schemas,
    keyRing,
    rules,
    deadLetterOf,
  };
}

/** An output that prepares the topics in `warm` at start, so that its first records do not wait for that. */
export function createOutputPart(
  shared: Shared,
  warm: readonly OutRecord["topic"][],
): ObservedOutput {
  const { config, effects, kafka, schemas } = shared;
  return createOutput({
    kafka,
    encode: (record) => schemas.encodeInPieces(record),
    prefix: config.topicPrefix,
    warm,
    deadLetterOf: shared.deadLetterOf,
    ...effects,
  });
}
