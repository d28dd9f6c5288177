import type { Endpoint, EventRules } from "@postrider/core";
import {
  createKafka,
  createOutput,
  createSchemas,
  createStageRunner,
  createTable,
  type DeadLetterOf,
  type Kafka,
  type ObservedOutput,
  partitionCountsOf,
  type Schemas,
  topicName,
} from "@postrider/messaging";
import {
  type Check,
  type Composition,
  createKeyRing,
  type Effects,
  type KeyRing,
  type Lifecycle,
} from "@postrider/runtime";
import { acceptEvents } from "./accept-events.ts";
import type { IngestConfig } from "./config.ts";
import { createDoor, type Door } from "./door.ts";
import { EndpointIndex } from "./endpoint-index.ts";
import { PatientSender } from "./patient-sender.ts";
import { createEventDecoder } from "./read-event.ts";
import { createRouteStage } from "./route.stage.ts";
import { createRouteMeters } from "./route-metrics.ts";
import { createSealedDeadLetterOf } from "./sealed-dead-letter.ts";

/** What compose returns: `door` is there where the process has that role, for its address. */
export interface Ingest extends Composition {
  readonly door: Door | null;
}

/** Ingest's parts in starting order. Door and route each have an output of their own, so that neither waits for the other's batches. */
export function compose(config: IngestConfig, effects: Effects): Ingest {
  const shared = createShared(config, effects);
  const route = config.roles.includes("route") ? createRoute(shared) : null;
  const door = config.roles.includes("door") ? createDoorPart(shared) : null;
  const roles = [route, door].filter((role) => role !== null);
  return {
    parts: [shared.schemas, ...roles.flatMap(({ parts }) => parts)],
    health: {
      live: () => roles.flatMap(({ health }) => health().live),
      ready: () => [
        ...shared.schemas.health().ready,
        ...roles.flatMap(({ health }) => health().ready),
      ],
    },
    door: door?.door ?? null,
  };
}

interface Shared {
  readonly config: IngestConfig;
  readonly effects: Effects;
  readonly kafka: Kafka;
  readonly schemas: Schemas;
  readonly keyRing: KeyRing;
  readonly rules: EventRules;
  readonly deadLetterOf: DeadLetterOf;
}

interface Part {
  readonly parts: readonly Lifecycle[];
  readonly health: () => {
    readonly live: readonly Check[];
    readonly ready: readonly Check[];
  };
}

function createShared(config: IngestConfig, effects: Effects): Shared {
  const kafka = createKafka(
    { brokers: config.kafkaBrokers, clientId: "postrider-ingest" },
    effects,
  );
  const keyRing = createKeyRing(config.encryptionKeys);
  const schemas = createSchemas({
    kafka,
    prefix: config.topicPrefix,
    schemaRegistryUrl: config.schemaRegistryUrl,
    sessionTimeoutMs: config.sessionTimeoutMs,
    ...effects,
  });
  const rules: EventRules = {
    maxPayloadBytes: config.maxPayloadBytes,
    url: {
      allowHttp: config.allowHttp,
      allowedCidrs: config.allowCidrs ?? [],
    },
    inline: config.inlineDestinations,
  };
  const { clock } = effects;
  const deadLetterOf = createSealedDeadLetterOf({ keyRing, clock });
  return { config, effects, kafka, schemas, keyRing, rules, deadLetterOf };
}

function createRoute(shared: Shared): Part {
  const { config, effects, kafka, schemas } = shared;
  const { parts: outputParts, output } = createOutputPart(shared);
  const table = createTable<Endpoint>({
    kafka,
    topic: topicName(config.topicPrefix, "endpoints"),
    decode: schemas.decoderOf("endpoints"),
    sessionTimeoutMs: config.sessionTimeoutMs,
    ...effects,
  });
  const endpoints = new EndpointIndex();
  table.onChange((endpointId, endpoint) => endpoints.set(endpointId, endpoint));
  const stage = createRouteStage({
    rules: shared.rules,
    maxFanOut: config.maxFanOut,
    window: {
      maxRecords: config.duplicateWindowRecords,
      maxBytes: config.duplicateWindowBytes,
    },
    endpointsOf: (tenantId) => endpoints.of(tenantId),
    keyRing: shared.keyRing,
    encodeEvent: (value) =>
      schemas.encode({ topic: "events", key: null, value }),
    now: () => effects.clock.now(),
    onDecided: createRouteMeters(effects),
  });
  const runner = createStageRunner({
    name: "route",
    stage,
    decode: createEventDecoder(schemas.decoderOf("events")),
    kafka,
    groupId: `${config.topicPrefix}route`,
    topics: [topicName(config.topicPrefix, "events")],
    output,
    deadLetterOf: shared.deadLetterOf,
    limits: {
      sessionTimeoutMs: config.sessionTimeoutMs,
      unknownSchemaWaitMs: config.unknownSchemaWaitMs,
      warmUpRecords: config.duplicateWindowRecords,
      warmUpBytes: config.duplicateWindowBytes,
    },
    ...effects,
  });
  const healths = [table, output, runner];
  return {
    parts: [table, ...outputParts, runner],
    health: () => ({
      live: healths.flatMap((one) => one.health().live),
      ready: healths.flatMap((one) => one.health().ready),
    }),
  };
}

function createDoorPart(shared: Shared): Part & { readonly door: Door } {
  const { config, effects } = shared;
  const { parts: outputParts, output } = createOutputPart(shared);
  const sender = new PatientSender({
    output,
    timeoutMs: config.doorTimeoutMs,
    maxWaitingBytes: config.doorQueueBytes,
  });
  const door = createDoor({
    host: config.host,
    port: config.port,
    adminKey: config.adminKey,
    maxBodyBytes: config.maxBodyBytes,
    accept: (request) =>
      acceptEvents(request, {
        rules: shared.rules,
        keyRing: shared.keyRing,
        sender,
        now: () => effects.clock.now(),
      }),
    ...effects,
  });
  return {
    door,
    parts: [...outputParts, door],
    health: () => ({
      live: output.health().live,
      ready: [
        ...output.health().ready.map((check) => ({
          ...check,
          name: `door-${check.name}`,
        })),
        doorCheck(door, output, config.doorTimeoutMs),
      ],
    }),
  };
}

/** A broker that is silent rather than gone shows only in the age of what waits for it. */
function doorCheck(
  door: Door,
  output: ObservedOutput,
  timeoutMs: number,
): Check {
  const oldestMs = output.oldestUnacknowledgedMs();
  const check = (isOk: boolean, detail: string): Check => ({
    name: "door",
    isOk,
    detail,
  });
  if (!door.isListening()) return check(false, "not listening");
  return oldestMs > timeoutMs
    ? check(false, `Kafka has not acknowledged an event for ${oldestMs} ms`)
    : check(true, `at ${door.url()}`);
}

/** An output, and what its partition counts hold open. */
function createOutputPart(shared: Shared): {
  readonly output: ObservedOutput;
  readonly parts: readonly Lifecycle[];
} {
  const { config, effects, kafka, schemas } = shared;
  const partitionsOf = partitionCountsOf(() => kafka.admin());
  const output = createOutput({
    createProducer: kafka.createProducer,
    encode: (record) => schemas.encode(record),
    prefix: config.topicPrefix,
    partitionsOf,
    deadLetterOf: shared.deadLetterOf,
    ...effects,
  });
  const counts: Lifecycle = {
    start: () => Promise.resolve(),
    stop: () => partitionsOf.disconnect(),
  };
  return { output, parts: [counts, output] };
}
