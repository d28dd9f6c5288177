/** How requests to the schema registry are made: signed in as we are now, over TLS as the files are now. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Log, Meter } from "./effects.ts";
import { lastGood } from "./last-good.ts";
import { liveTlsAgents } from "./live-tls-agents.ts";
import { registryTlsOf, type RegistryAddress } from "./registry-config.ts";

/** What requests to the registry are made with. */
export interface RegistryAccess {
  readonly url: string;
  /** The header `authorization` as it is now, for one request; null: none. */
  readonly authorization: () => string | null;
  readonly agent: HttpAgent;
}

const EVENT = "registry.secretNotReadAgain";
/** A registry is asked seldom: a connection that lies idle would only be found closed. */
const AGENT = { keepAlive: false };

/** Null without a registry. With a meter the ends of certificates are measured. */
export function registryAccess(
  config: RegistryAddress,
  log: Pick<Log, "warn">,
  meter?: Meter,
): RegistryAccess | null {
  const url = config.schemaRegistryUrl;
  if (url === null) return null;
  return {
    url,
    authorization: authorizationOf(config, log),
    agent: agentOf(url, config, { log, meter }),
  };
}

function agentOf(
  url: string,
  config: RegistryAddress,
  { log, meter }: { log: Pick<Log, "warn">; meter: Meter | undefined },
): HttpAgent {
  if (!url.startsWith("https:")) return new HttpAgent(AGENT);
  const isPlain = Object.keys(registryTlsOf(config)).length === 0;
  if (isPlain) return new HttpsAgent(AGENT);
  const agents = liveTlsAgents("registry", () => registryTlsOf(config), {
    event: EVENT,
    variable: "SCHEMA_REGISTRY_TLS",
    log,
    meter,
  });
  return agents(AGENT);
}

function authorizationOf(
  config: RegistryAddress,
  log: Pick<Log, "warn">,
): () => string | null {
  const { schemaRegistryToken: token, schemaRegistryUsername: user } = config;
  const { schemaRegistryPassword: password } = config;
  if (token)
    return lastGood(() => `Bearer ${token()}`, {
      event: EVENT,
      variable: "SCHEMA_REGISTRY_TOKEN_FILE",
      log,
    });
  if (user && password)
    return lastGood(() => `Basic ${base64(`${user}:${password()}`)}`, {
      event: EVENT,
      variable: "SCHEMA_REGISTRY_PASSWORD_FILE",
      log,
    });
  return () => null;
}

function base64(value: string): string {
  return Buffer.from(value, "utf8").toString("base64");
}
