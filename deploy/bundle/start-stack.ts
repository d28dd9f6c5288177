/** Takes the place of packages/local-stack/src/start-stack.ts: the bundle brings no servers, so it can only use those of others. */
import { startExternalStack } from "../../packages/local-stack/src/external-stack.ts";
import { StackError } from "../../packages/local-stack/src/stack-error.ts";
import type {
  Stack,
  StackOptions,
} from "../../packages/local-stack/src/stack.ts";

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = options.env ?? process.env;
  const asked = env["POSTRIDER_STACK"] || "external";
  if (asked !== "external" || !env["KAFKA_BROKERS"] || !env["CLICKHOUSE_URL"])
    throw new StackError(
      "SERVERS_MISSING",
      "This is Postrider's bundle, which brings no Kafka and no ClickHouse.",
    );
  return await startExternalStack(env, options);
}
