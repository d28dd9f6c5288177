import { isDockerThere, startDockerStack } from "./docker-stack.ts";
import { startExternalStack } from "./external-stack.ts";
import { startLocalStack } from "./local-stack.ts";
import { StackError } from "./stack-error.ts";
import {
  PROVIDERS,
  type Provider,
  type Stack,
  type StackOptions,
} from "./stack.ts";

/** Starts, or finds, a usable Kafka and ClickHouse. Throws `StackError` with a sentence that tells what is missing. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = options.env ?? process.env;
  const provider = options.provider ?? askedProvider(env);
  if (provider !== null) return await START[provider](env, options);

  if (env["KAFKA_BROKERS"] && env["CLICKHOUSE_URL"])
    return await startExternalStack(env, options);
  // Containers keep no data between runs, so a stack with `dataDir` is made of processes.
  if (options.dataDir === undefined && (await isDockerThere(env))) {
    try {
      return await startDockerStack(env, options);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      options.onProgress?.(`Docker did not work, so processes it is: ${why}`);
    }
  }
  return await startLocalStack(env, options);
}

const START = {
  external: startExternalStack,
  docker: startDockerStack,
  local: startLocalStack,
} as const;

function askedProvider(env: NodeJS.ProcessEnv): Provider | null {
  const asked = env["POSTRIDER_STACK"];
  if (!asked) return null;
  const provider = PROVIDERS.find((name) => name === asked);
  if (provider === undefined) {
    throw new StackError(
      "CONFIG",
      `POSTRIDER_STACK is ${JSON.stringify(asked)}; it can be ${PROVIDERS.join(", ")}.`,
    );
  }
  return provider;
}
