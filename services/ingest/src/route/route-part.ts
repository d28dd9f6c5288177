import type { Endpoint } from "@postrider/core";
import {
  createStageRunner,
  createTable,
  createTimestampCheck,
  topicName,
} from "@postrider/messaging";
import { boundedOutput } from "./bounded-output.ts";
import { EndpointIndex } from "./endpoint-index.ts";
import { createEventDecoder } from "./read-event.ts";
import { RouteSpans } from "./route-spans.ts";
import { createRouteStage } from "./route.stage.ts";
import { createRouteMeters } from "./route-metrics.ts";
import {
  createOutputPart,
  type RolePart,
  type Shared,
} from "../shared-parts.ts";

/** The route stage with its table of endpoints, its output and its runner. */
export function createRoutePart(shared: Shared): RolePart {
  const { config, effects, kafka, schemas } = shared;
  const output = createOutputPart(shared, [
    "deliveries",
    "intake",
    "dead-letters",
  ]);
  const table = createTable<Endpoint>({
    kafka,
    topic: topicName(config.topicPrefix, "endpoints"),
    decode: schemas.decoderOf("endpoints"),
    sessionTimeoutMs: config.sessionTimeoutMs,
    unknownSchemaWaitMs: config.unknownSchemaWaitMs,
    ...effects,
  });
  const endpoints = new EndpointIndex();
  table.onChange((endpointId, endpoint) => endpoints.set(endpointId, endpoint));
  const groupId = `${config.topicPrefix}route`;
  const { tracer } = effects;
  const stage = createRouteStage({
    rules: shared.rules,
    maxFanOut: config.maxFanOut,
    recordPayloads: config.recordPayloads,
    window: {
      maxRecords: config.duplicateWindowRecords,
      maxBytes: config.duplicateWindowBytes,
    },
    endpoints,
    keyRing: shared.keyRing,
    encodeEvent: (value) =>
      schemas.encode({ topic: "events", key: null, value }),
    now: () => effects.clock.now(),
    onDecided: createRouteMeters(effects),
    spans: tracer.isOn ? new RouteSpans(tracer, groupId) : null,
  });
  const runner = createStageRunner({
    name: "route",
    stage,
    decode: createEventDecoder(schemas.decoderOf("events")),
    kafka,
    groupId,
    topics: [topicName(config.topicPrefix, "events")],
    output: boundedOutput(output),
    // Wait while the table is behind: `no_match` is final, so an endpoint that the table lacks would never get the event.
    waitsFor: () => table.behind(),
    deadLetterOf: shared.deadLetterOf,
    limits: {
      sessionTimeoutMs: config.sessionTimeoutMs,
      unknownSchemaWaitMs: config.unknownSchemaWaitMs,
      warmUpRecords: config.duplicateWindowRecords,
      warmUpBytes: config.duplicateWindowBytes,
    },
    ...effects,
  });
  const timestamps = createTimestampCheck({
    kafka,
    topics: [topicName(config.topicPrefix, "events")],
    log: effects.log,
  });
  const healths = [table, output, runner];
  return {
    parts: [table, output, runner, timestamps],
    health: () => ({
      live: healths.flatMap((one) => one.health().live),
      ready: healths.flatMap((one) => one.health().ready),
    }),
  };
}
