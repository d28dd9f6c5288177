import type { Endpoint } from "@postrider/core";
import {
  createSourceDecoder,
  createStageRunner,
  createTable,
  type Decoder,
  groupIdOf,
  RUNNER_LIMITS,
  sourceGroupId,
  type StageRunner,
  topicName,
} from "@postrider/messaging";
import type { Lifecycle } from "@postrider/runtime";
import { boundedOutput } from "./bounded-output.ts";
import { createFilterMeters, EndpointFilters } from "./endpoint-filters.ts";
import { EndpointIndex } from "./endpoint-index.ts";
import {
  createEventDecoder,
  createSourceEventDecoder,
  type RouteInput,
} from "./read-event.ts";
import { RouteSpans } from "./route-spans.ts";
import { createRouteStage } from "./route.stage.ts";
import { createRouteMeters } from "./route-metrics.ts";
import { createSourceRunners, degraded } from "./source-runners.ts";
import { typesCheck } from "./types-check.ts";
import {
  createOutputPart,
  type RolePart,
  type Shared,
} from "../shared-parts.ts";

/** What a runner reads, and how. */
interface Input {
  /** The label `stage` of its metrics. */
  readonly name: string;
  readonly groupId: string;
  readonly topic: string;
  readonly decode: Decoder<RouteInput>;
}

/** The route stage with its table of endpoints, its output and its runners: one for `events`, one for each configured source. */
export function createRoutePart(shared: Shared): RolePart {
  const { config, effects, kafka, schemas, sources, types, entries } = shared;
  const prefix = config.topicPrefix;
  const output = createOutputPart(shared, [
    "deliveries",
    "intake",
    "dead-letters",
  ]);
  const table = createTable<Endpoint>({
    kafka,
    topic: topicName(prefix, "endpoints"),
    decode: schemas.decoderOf("endpoints"),
    sessionTimeoutMs: config.sessionTimeoutMs,
    unknownSchemaWaitMs: config.unknownSchemaWaitMs,
    ...effects,
  });
  const endpoints = new EndpointIndex();
  table.onChange((endpointId, endpoint) => endpoints.set(endpointId, endpoint));
  const events = topicName(prefix, "events");
  const runnerOf = runnersOf(shared, {
    endpoints,
    output: boundedOutput(output),
    // Wait while the table is behind: `no_match` is final, so an endpoint that the table lacks would never get the event. So is `invalid`
    // of an event whose type the catalogue lacks, where a tenant's events are held to it.
    waitsFor: () => table.behind() ?? types.behind(),
  });
  const runner = runnerOf({
    name: "route",
    groupId: groupIdOf(prefix, "route"),
    topic: events,
    decode: createEventDecoder(schemas.decoderOf("events")),
  });
  const sourceRunners = createSourceRunners(
    sources.map((source) => {
      const name = `route:${source.topic}`;
      const runner = runnerOf({
        name,
        groupId: sourceGroupId(prefix, source.topic),
        topic: source.topic,
        decode: createSourceEventDecoder(
          createSourceDecoder(source, schemas.asJson),
        ),
      });
      return { name, runner };
    }),
    effects.meter,
  );
  const healths = [table, output, runner, sourceRunners];
  const { rights, parts } = sourceRightsPart(shared);
  return {
    parts: [table, output, runner, ...parts, sourceRunners],
    health: () => ({
      live: healths.flatMap((one) => one.health().live),
      ready: [
        typesCheck(types, entries),
        ...healths.flatMap((one) => one.health().ready),
        ...rights().map(degraded),
      ],
    }),
  };
}

/** Asks for the rights on the sources' topics, and keeps nothing waiting. */
function sourceRightsPart({ sources, sourceRights }: Shared): {
  readonly parts: readonly Lifecycle[];
  readonly rights: () => ReturnType<RolePart["health"]>["ready"];
} {
  if (sources.length === 0) return { parts: [], rights: () => [] };
  const part: Lifecycle = {
    start() {
      void sourceRights.start();
      return Promise.resolve();
    },
    stop: (deadline) => sourceRights.stop(deadline),
  };
  return { parts: [part], rights: () => sourceRights.health().ready };
}

/** Makes runners with a stage, and so a duplicate window, of their own. */
function runnersOf(
  shared: Shared,
  of: {
    readonly endpoints: EndpointIndex;
    readonly output: ReturnType<typeof boundedOutput>;
    readonly waitsFor: () => string | null;
  },
): (input: Input) => StageRunner {
  const { config, effects, kafka, schemas, sources } = shared;
  const { tracer } = effects;
  const filters = new EndpointFilters(createFilterMeters(effects.meter));
  const window = {
    maxRecords: config.duplicateWindowRecords,
    maxBytes: config.duplicateWindowBytes,
  };
  return ({ name, groupId, topic, decode }) =>
    createStageRunner({
      name,
      stage: createRouteStage({
        rules: shared.rules,
        types: shared.types,
        maxFanOut: config.maxFanOut,
        recordPayloads: config.recordPayloads,
        window,
        endpoints: of.endpoints,
        filters,
        keyRing: shared.keyRing,
        encodeEvent: (value) =>
          schemas.encode({ topic: "events", key: null, value }),
        now: () => effects.clock.now(),
        onDecided: createRouteMeters(name, effects),
        spans: tracer.isOn ? new RouteSpans(tracer, groupId) : null,
      }),
      decode,
      kafka,
      groupId,
      topics: [topic],
      output: of.output,
      waitsFor: of.waitsFor,
      deadLetterOf: shared.deadLetterOf,
      limits: {
        sessionTimeoutMs: config.sessionTimeoutMs,
        unknownSchemaWaitMs: config.unknownSchemaWaitMs,
        warmUpRecords: window.maxRecords,
        warmUpBytes: window.maxBytes,
        // The budget is the process's, so its runners share it.
        byteBudget: RUNNER_LIMITS.byteBudget / (1 + sources.length),
      },
      ...effects,
    });
}
