import {
  createBatchRunner,
  createDeadLetterOf,
  createOutput,
  createSchemas,
  createServiceKafka,
  groupIdOf,
  topicName,
} from "@postrider/messaging";
import type {
  BatchRunner,
  Kafka,
  RecordStage,
  TopicValues,
} from "@postrider/messaging";
import { clickhouseAccess, createLiveKeyRing } from "@postrider/runtime";
import type { Composition, Effects, Lifecycle } from "@postrider/runtime";
import {
  attemptsStage,
  auditStage,
  deadLettersStage,
  intakeStage,
  signalsStage,
} from "./record.stages.ts";
import {
  ATTEMPTS,
  AUDIT,
  DEAD_LETTERS,
  eventsTable,
  SIGNALS,
} from "./columns.ts";
import type { Row, Table } from "./columns.ts";
import type { RecorderConfig } from "./config.ts";
import { readMigrations } from "./migrate/migration-files.ts";
import { createRefusedDeadLetterOf } from "./refused-dead-letter.ts";
import { createTableWatch } from "./migrate/table-watch.ts";
import { createWriter } from "./clickhouse/writer.ts";

/** Wires one runner for each topic: `intake` → table `events`, `attempts` → `attempts`, `dead-letters` → `dead_letters`, `signals` → `signals`, `audit` → `audit`. Tests may pass their own `kafka`. */
export function compose(
  config: RecorderConfig,
  effects: Effects,
  ownKafka?: Kafka,
): Composition {
  const { log } = effects;
  const { topicPrefix: prefix, clickhouseDatabase: database } = config;
  const { kafka, rights, topics, settings } = createServiceKafka(
    {
      config,
      service: "recorder",
      holders: ["recorder"],
      kafka: ownKafka,
    },
    effects,
  );
  const access = clickhouseAccess(config, log, effects.meter);
  const writer = createWriter({
    ...access,
    database,
    isReplicated: config.clickhouseCluster !== null,
  });
  const watch = createTableWatch({
    sql: writer,
    database,
    migrations: readMigrations(),
    log,
  });
  const schemas = createSchemas({
    ...effects,
    kafka,
    prefix,
    sessionTimeoutMs: config.sessionTimeoutMs,
    registry: config,
    registeredTopics: ["dead-letters"],
  });
  const output = createOutput({
    ...effects,
    kafka,
    encode: (record) => schemas.encodeInPieces(record),
    prefix,
    deadLetterOf: createDeadLetterOf({ stage: "record", clock: effects.clock }),
  });

  const deadLetterOf = createRefusedDeadLetterOf(
    config.encryptionKeys === null
      ? null
      : createLiveKeyRing(config.encryptionKeys, effects),
  );

  function runner<
    T extends "intake" | "attempts" | "dead-letters" | "signals" | "audit",
  >(
    topic: T,
    table: Table<TopicValues[T]>,
    stage: RecordStage<TopicValues[T], Row<TopicValues[T]>>,
  ): BatchRunner {
    return createBatchRunner({
      ...effects,
      name: `record.${topic}`,
      topic: topicName(prefix, topic),
      groupId: groupIdOf(prefix, `recorder.${topic}`),
      stage,
      decode: schemas.decoderOf(topic),
      target: writer.tableOf(table),
      kafka,
      output,
      deadLetterOf,
      limits: {
        maxRecords: config.batchRecords,
        maxBytes: config.batchBytes,
        lingerMs: config.lingerMs,
        sessionTimeoutMs: config.sessionTimeoutMs,
        unknownSchemaWaitMs: config.unknownSchemaWaitMs,
      },
    });
  }

  const runners = [
    runner("intake", eventsTable(config.recordPayloads), intakeStage),
    runner("attempts", ATTEMPTS, attemptsStage),
    runner("dead-letters", DEAD_LETTERS, deadLettersStage),
    runner("signals", SIGNALS, signalsStage),
    runner("audit", AUDIT, auditStage),
  ];
  return {
    parts: [
      closing(() => writer.close()),
      rights,
      topics,
      settings,
      watch,
      schemas,
      output,
      together(runners),
    ],
    health: {
      live: () => [
        ...schemas.health().live,
        ...output.health().live,
        ...runners.flatMap((each) => each.health().live),
      ],
      ready: () => [
        ...rights.health().ready,
        ...topics.health().ready,
        watch.check(),
        ...schemas.health().ready,
        ...output.health().ready,
        ...runners.flatMap((each) => each.health().ready),
      ],
    },
  };
}

/** Starts and stops parts at the same time: each joins a group of its own, so none has to wait for another. */
function together(parts: readonly Lifecycle[]): Lifecycle {
  return {
    async start() {
      await Promise.all(parts.map((part) => part.start()));
    },
    async stop(deadline) {
      await Promise.all(parts.map((part) => part.stop(deadline)));
    },
  };
}

/** A part that only closes. Listed first, so that it is closed last. */
function closing(close: () => Promise<void>): Lifecycle {
  return { start: () => Promise.resolve(), stop: close };
}
