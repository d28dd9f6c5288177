import { connect } from "node:net";
import { brokers as parseBrokers, hostAndPort } from "@postrider/runtime";
import { StackError } from "./stack-error.ts";
import type { Stack, StackOptions } from "./stack.ts";

/** Servers that somebody else runs. Their addresses come from the environment, and `stop` leaves them running. */
export async function startExternalStack(
  env: NodeJS.ProcessEnv,
  options: StackOptions,
): Promise<Stack> {
  const names = [
    "KAFKA_BROKERS",
    "CLICKHOUSE_URL",
    ...(options.registry ? ["SCHEMA_REGISTRY_URL"] : []),
  ];
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new StackError(
      "CONFIG",
      `POSTRIDER_STACK=external uses your own servers: set ${missing.join(" and ")}.`,
    );
  }
  const brokers = brokersOf(env["KAFKA_BROKERS"] ?? "");
  const url = env["CLICKHOUSE_URL"] ?? "";
  const registryUrl = env["SCHEMA_REGISTRY_URL"];
  await mustAnswer("KAFKA_BROKERS", brokers);
  await mustAnswer("CLICKHOUSE_URL", [brokerFormOf(url)]);
  return {
    provider: "external",
    kafka: { brokers, server: null, servers: [] },
    clickhouse: { url, server: null },
    schemaRegistry: registryUrl ? { url: registryUrl, server: null } : null,
    stop: async () => undefined,
  };
}

function brokersOf(text: string): readonly string[] {
  try {
    return parseBrokers(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StackError("CONFIG", `KAFKA_BROKERS ${why}; it is ${text}.`);
  }
}

/** The host and the port of a URL, which may carry a password and is therefore never shown. */
function brokerFormOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null)
    throw new StackError("CONFIG", "CLICKHOUSE_URL is not a URL.");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return `${url.hostname}:${port}`;
}

/** Checks only that the address accepts connections: more could need credentials, which we do not have here. */
async function mustAnswer(
  variable: string,
  addresses: readonly string[],
): Promise<void> {
  const answers = await Promise.all(addresses.map(accepts));
  if (answers.includes(true)) return;
  throw new StackError(
    "UNREACHABLE",
    `Nobody answers at ${addresses.join(", ")} (${variable}): start it, or correct ${variable}.`,
  );
}

async function accepts(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(hostAndPort(address));
    const done = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(3000, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
