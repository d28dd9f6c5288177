import { hostname } from "node:os";
import {
  createDeadLetterOf,
  createOutput,
  createSchemas,
  createServiceKafka,
  createStageRunner,
  createTable,
  groupIdOf,
  topicName,
} from "@postrider/messaging";
import {
  createLiveKeyRing,
  VERSION,
  type Composition,
  type Effects,
} from "@postrider/runtime";
import type { DispatcherConfig } from "./config.ts";
import { createDeliverStage } from "./deliver/deliver.stage.ts";
import { createGuard } from "./send/guard.ts";
import { openRunnerLedger } from "./runner-ledger.ts";
import { createSender } from "./send/sender.ts";
import { createSigner } from "./deliver/signer.ts";
import { twinDistanceMs } from "./deliver/taken-steps.ts";

/** The topics that the dispatcher writes, besides the tiers. The output prepares them before readiness; otherwise the first retry would wait for that. */
const OUTPUTS = ["attempts", "deliveries", "dead-letters", "signals"] as const;

/**
 * Nobody waits for an attempt's record, and a request to Kafka costs as much as forty of them, so they wait for each other, ms.
 * Any other record is a delivery that goes on, and takes them along. A commit follows the acknowledgement at once, if the last
 * one was `COMMIT_INTERVAL_MS` ago: so it is made of all that was acknowledged together, and a completion is committed within
 * 50 ms (ADRs 25 and 35).
 */
const ATTEMPTS_LINGER_MS = 40;
const COMMIT_INTERVAL_MS = 20;

/** The dispatcher: `deliveries` → HTTP → `attempts`, tiers, `dead-letters`, `signals`. */
export function compose(
  config: DispatcherConfig,
  effects: Effects,
): Composition {
  const { log, meter, clock, tracer } = effects;
  const { topicPrefix: prefix, sessionTimeoutMs, unknownSchemaWaitMs } = config;
  const { kafka, rights, topics, settings } = createServiceKafka(
    {
      config,
      service: "dispatcher",
      holders: ["dispatcher"],
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
  const endpoints = createTable({
    kafka,
    log,
    meter,
    clock,
    sessionTimeoutMs,
    unknownSchemaWaitMs,
    topic: topicName(prefix, "endpoints"),
    decode: schemas.decoderOf("endpoints"),
    isKeptEncoded: true,
  });
  const urlPolicy = {
    allowHttp: config.allowHttp,
    allowedCidrs: config.allowCidrs ?? [],
    deniedCidrs: config.denyCidrs ?? [],
  };
  const sender = createSender({
    guard: createGuard(urlPolicy),
    log,
    meter,
    clock,
  });
  const output = createOutput({
    kafka,
    prefix,
    warm: [...OUTPUTS, ...config.tiers.map(({ topic }) => topic)],
    encode: (record) => schemas.encodeInPieces(record),
    deadLetterOf: createDeadLetterOf({ stage: "deliver", clock }),
    lingerMs: (topic) =>
      topic === "attempts" ? ATTEMPTS_LINGER_MS : undefined,
    log,
    meter,
    clock,
  });
  const groupId = groupIdOf(prefix, "dispatcher");
  const runner = createStageRunner({
    name: "deliver",
    stage: createDeliverStage({
      endpoints,
      send: sender.send,
      signer: createSigner(
        createLiveKeyRing(config.encryptionKeys, effects),
        log,
      ),
      urlPolicy,
      tiers: config.tiers,
      userAgent: `Postrider/${VERSION}`,
      worker: `${hostname()}:${process.pid}`,
      groupId,
      sessionTimeoutMs,
      random01: Math.random,
      clock,
      log,
      meter,
      tracer,
    }),
    decode: schemas.decoderOf("deliveries"),
    kafka,
    groupId,
    topics: [topicName(prefix, "deliveries")],
    output,
    observer:
      config.runnerLedger === null
        ? undefined
        : openRunnerLedger(config.runnerLedger, clock),
    log,
    meter,
    clock,
    limits: {
      maxInFlight: config.maxInFlight,
      sessionTimeoutMs,
      unknownSchemaWaitMs,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      ...warmUpLimits(sessionTimeoutMs),
    },
  });
  const observed = [rights, topics, schemas, endpoints, output, runner];
  return {
    parts: [
      rights,
      topics,
      settings,
      schemas,
      endpoints,
      sender,
      output,
      runner,
    ],
    health: {
      live: () => observed.flatMap((part) => part.health().live),
      ready: () => observed.flatMap((part) => part.health().ready),
    },
  };
}

/**
 * How much of a newly assigned partition is read again to find repeats: every record whose repeat may still come
 * (`twinDistanceMs`), but within limits that keep the reading to a few seconds.
 */
function warmUpLimits(sessionTimeoutMs: number) {
  return {
    warmUpMs: twinDistanceMs(sessionTimeoutMs),
    warmUpRecords: 400_000,
    warmUpBytes: 64 << 20,
    warmUpBudgetBytes: 128 << 20,
  };
}
