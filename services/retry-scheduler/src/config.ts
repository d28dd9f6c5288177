import { parseTiers } from "@postrider/core";
import {
  commonConfig,
  kafkaConfig,
  processConfig,
  readConfig,
  registryConfig,
  type ConfigOf,
  type ConfigSpec,
  type Env,
} from "@postrider/runtime";

export const retrySchedulerSpec = {
  ...kafkaConfig,
  topicPrefix: commonConfig.topicPrefix,
  ...registryConfig,
  tiers: {
    ...commonConfig.tiers,
    parse: Object.assign(parseTiers, { expects: "delays such as 1s,2s,5m" }),
  },
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  unknownSchemaWaitMs: commonConfig.unknownSchemaWaitMs,
  ...processConfig(9402),
} as const satisfies ConfigSpec;

export type RetrySchedulerConfig = ConfigOf<typeof retrySchedulerSpec>;

/** Throws a `ConfigError` that lists every problem. */
export function readRetrySchedulerConfig(env: Env): RetrySchedulerConfig {
  return readConfig(env, retrySchedulerSpec);
}
