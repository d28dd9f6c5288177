import type { ControlEntry, EventRules, Source } from "@postrider/core";
import { followTypes, type TypeCatalogue } from "@postrider/event-types";
import {
  createServiceKafka,
  createOutput,
  createSchemas,
  createTable,
  type DeadLetterOf,
  type Kafka,
  type ObservedOutput,
  type OutRecord,
  type RightsCheck,
  type Schemas,
  type Table,
  topicName,
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
  readonly settings: Lifecycle;
  /** The configured sources; none without the route role. */
  readonly sources: readonly Source[];
  readonly sourceRights: RightsCheck;
  readonly schemas: Schemas;
  /** The topic `control`: the API keys, and what events are held to. */
  readonly entries: Table<ControlEntry>;
  readonly types: TypeCatalogue;
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
  const { kafka, rights, topics, settings, sourceRights } = createServiceKafka(
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
  const entries = createTable<ControlEntry>({
    ...effects,
    kafka,
    topic: topicName(config.topicPrefix, "control"),
    decode: schemas.decoderOf("control"),
    sessionTimeoutMs: config.sessionTimeoutMs,
    unknownSchemaWaitMs: config.unknownSchemaWaitMs,
    // What is asked of the topic is kept where requests and events look it up; the records themselves are not asked for.
    isKeptEncoded: true,
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
    settings,
    sources,
    sourceRights,
    schemas,
    entries,
    types: followTypes(entries),
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
