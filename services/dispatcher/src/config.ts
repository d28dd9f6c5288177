import { parseCidrs, parseTiers, type Cidr } from "@postrider/core";
import {
  commonConfig,
  kafkaConfig,
  integer,
  processConfig,
  readConfig,
  registryConfig,
  text,
  tracesConfig,
  type ConfigOf,
  type ConfigSpec,
  type Env,
  type Parse,
} from "@postrider/runtime";

const cidrs: Parse<readonly Cidr[]> = Object.assign(
  (text: string) => parseCidrs(text),
  { expects: "blocks of addresses such as 10.0.0.0/8,fd00::/8" },
);

export const dispatcherSpec = {
  ...kafkaConfig,
  topicPrefix: commonConfig.topicPrefix,
  ...registryConfig,
  tiers: {
    ...commonConfig.tiers,
    parse: Object.assign(parseTiers, { expects: "delays such as 1s,2s,5m" }),
  },
  allowCidrs: { ...commonConfig.allowCidrs, parse: cidrs },
  denyCidrs: { ...commonConfig.denyCidrs, parse: cidrs },
  allowHttp: commonConfig.allowHttp,
  encryptionKeys: commonConfig.encryptionKeys,
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  unknownSchemaWaitMs: commonConfig.unknownSchemaWaitMs,
  maxInFlight: {
    env: "POSTRIDER_MAX_IN_FLIGHT",
    parse: integer(1, 100_000),
    default: "1000",
    doc: "Attempts at once in one dispatcher: each holds a socket until it is decided. Endpoints that do not answer get an eighth of them, new ones half, one tenant alone eight ninths.",
  },
  runnerLedger: {
    env: "POSTRIDER_RUNNER_LEDGER",
    parse: text,
    default: null,
    doc: "A file to which every completion and every acknowledged commit is appended, synchronously: for fault runs only, it costs throughput.",
  },
  ...tracesConfig,
  ...processConfig(9401),
} as const satisfies ConfigSpec;

export type DispatcherConfig = ConfigOf<typeof dispatcherSpec>;

/** Throws a `ConfigError` that lists every problem. */
export function readDispatcherConfig(env: Env): DispatcherConfig {
  return readConfig(env, dispatcherSpec);
}
