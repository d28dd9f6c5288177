import {
  clickhouseConfig,
  commonConfig,
  kafkaConfig,
  duration,
  integer,
  processConfig,
  readConfig,
  registryConfig,
} from "@postrider/runtime";
import type { ConfigOf, ConfigSpec, Env } from "@postrider/runtime";
import { databaseName } from "./migrate/migration-files.ts";
import { clusterName } from "./migrate/on-cluster.ts";

/** The settings of `migrate`, which runs without Kafka. */
export const migrateSpec = {
  ...clickhouseConfig,
  clickhouseDatabase: {
    ...clickhouseConfig.clickhouseDatabase,
    parse: databaseName,
  },
  clickhouseCluster: {
    env: "POSTRIDER_CLICKHOUSE_CLUSTER",
    parse: clusterName,
    default: null,
    doc: "The cluster of ClickHouse on whose replicas `migrate` makes replicated tables; the recorder then waits for a majority of them. Empty: one server. docs/sql/replicated.md",
  },
} as const satisfies ConfigSpec;

export const recorderSpec = {
  ...kafkaConfig,
  topicPrefix: commonConfig.topicPrefix,
  ...registryConfig,
  ...migrateSpec,
  encryptionKeys: {
    ...commonConfig.encryptionKeys,
    default: null,
    doc: "Seal what cannot be read before it is kept as a dead letter. A changed file is used within a second.",
  },
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  unknownSchemaWaitMs: commonConfig.unknownSchemaWaitMs,
  recordPayloads: commonConfig.recordPayloads,
  batchRecords: {
    env: "POSTRIDER_RECORD_BATCH_RECORDS",
    parse: integer(1, 100_000),
    default: "20000",
    doc: "Records of one insert, of all partitions of a topic together, at most.",
  },
  batchBytes: {
    env: "POSTRIDER_RECORD_BATCH_BYTES",
    parse: integer(1_000, 64_000_000),
    default: "16000000",
    doc: "Bytes of one insert, at most, as they are in Kafka; a larger record travels alone.",
  },
  lingerMs: {
    env: "POSTRIDER_RECORD_LINGER",
    parse: duration,
    default: "1s",
    doc: "How long the first record of an insert waits for others; up to 2 s where inserts take long.",
  },
  ...processConfig(9403),
} as const satisfies ConfigSpec;

export type RecorderConfig = ConfigOf<typeof recorderSpec>;
export type MigrateConfig = ConfigOf<typeof migrateSpec>;

/** Throws a `ConfigError` that lists every problem. */
export function readRecorderConfig(env: Env): RecorderConfig {
  return readConfig(env, recorderSpec);
}

/** Where the tables are to be, without how ClickHouse is reached. */
const targetSpec = {
  clickhouseDatabase: migrateSpec.clickhouseDatabase,
  clickhouseCluster: migrateSpec.clickhouseCluster,
} as const satisfies ConfigSpec;

/** Throws a `ConfigError` that lists every problem. */
export function readTargetConfig(
  env: Env = process.env,
): ConfigOf<typeof targetSpec> {
  return readConfig(env, targetSpec);
}

/** Throws a `ConfigError` that lists every problem. */
export function readMigrateConfig(env: Env = process.env): MigrateConfig {
  return readConfig(env, migrateSpec);
}
