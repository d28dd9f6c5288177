import type { Stack, StackOptions } from "./stack.ts";
import { StackError } from "./stack-error.ts";

/** Servers that are somebody else's: their addresses come from the environment, and stop leaves them alone. */
export async function startExternalStack(
  env: NodeJS.ProcessEnv,
  options: StackOptions,
): Promise<Stack> {
  const missing = [
    "KAFKA_BROKERS",
    "CLICKHOUSE_URL",
    ...(options.registry ? ["SCHEMA_REGISTRY_URL"] : []),
  ].filter((name) => !env[name]);
  if (missing.length > 0)
    throw new StackError(
      "CONFIG",
      `POSTRIDER_STACK=external uses your own servers: set ${missing.join(" and ")}.`,
    );
  const registryUrl = env["SCHEMA_REGISTRY_URL"];
  return {
    provider: "external",
    kafka: {
      brokers: (env["KAFKA_BROKERS"] ?? "")
        .split(",")
        .map((broker) => broker.trim()),
      server: null,
    },
    clickhouse: { url: env["CLICKHOUSE_URL"] ?? "", server: null },
    schemaRegistry: registryUrl ? { url: registryUrl, server: null } : null,
    stop: async () => undefined,
  };
}
