import { isTenantId, parseCidrs, type Cidr } from "@postrider/core";
import {
  clickhouseConfig,
  clickhouseTenantConfig,
  commonConfig,
  kafkaConfig,
  duration,
  integer,
  listenConfig,
  processConfig,
  readConfig,
  registryConfig,
  type ConfigOf,
  type ConfigSpec,
  type Env,
  type Parse,
} from "@postrider/runtime";

const cidrs: Parse<readonly Cidr[]> = Object.assign(
  (text: string) => parseCidrs(text),
  { expects: "blocks of addresses such as 10.0.0.0/8,fd00::/8" },
);

const tenant: Parse<string> = Object.assign(
  (text: string) => {
    if (isTenantId(text.trim())) return text.trim();
    throw new Error("must be 1 to 64 of A-Z a-z 0-9 _ -");
  },
  {
    expects: "1 to 64 of A-Z a-z 0-9 _ -",
    schema: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
  },
);

export const controlSpec = {
  ...kafkaConfig,
  topicPrefix: commonConfig.topicPrefix,
  ...registryConfig,
  allowCidrs: { ...commonConfig.allowCidrs, parse: cidrs },
  denyCidrs: { ...commonConfig.denyCidrs, parse: cidrs },
  allowHttp: commonConfig.allowHttp,
  encryptionKeys: commonConfig.encryptionKeys,
  adminKey: commonConfig.adminKey,
  ...clickhouseConfig,
  ...clickhouseTenantConfig,
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  unknownSchemaWaitMs: commonConfig.unknownSchemaWaitMs,
  queryTimeoutMs: {
    env: "POSTRIDER_QUERY_TIMEOUT",
    parse: duration,
    default: "30s",
    doc: "How long a query of POST /v1/query, or a saved query, may run.",
  },
  resumeRate: {
    env: "POSTRIDER_RESUME_RATE",
    parse: integer(1, 10_000),
    default: "500",
    doc: "How many parked deliveries a second a resume sends again.",
  },
  replayRate: {
    env: "POSTRIDER_REPLAY_RATE",
    parse: integer(1, 10_000),
    default: "500",
    doc: "How many past deliveries a second a replay sends again, where it names no rate of its own.",
  },
  operationsTenant: {
    env: "POSTRIDER_OPERATIONS_TENANT",
    parse: tenant,
    default: null,
    doc: "The tenant whose endpoints get Postrider's own events (operational-events.md). One of its own, which no customer has; without it there are none.",
  },
  operationsDeadLetters: {
    env: "POSTRIDER_OPERATIONS_DEAD_LETTERS",
    parse: integer(1, 1_000_000_000),
    default: "100",
    doc: "From how many dead letters of one tenant in an hour on this is told: as the signal dead_letters_growing and, where a tenant is named, as postrider.dead_letters.growing.",
  },
  ...listenConfig(7400),
  ...processConfig(9404),
} as const satisfies ConfigSpec;

export type ControlConfig = ConfigOf<typeof controlSpec>;

/** Throws a `ConfigError` that lists every problem. */
export function readControlConfig(env: Env): ControlConfig {
  return readConfig(env, controlSpec);
}
