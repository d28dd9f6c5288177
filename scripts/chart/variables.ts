/** Which variable of which service the chart sets, and from where. Every variable of every service has a place here; a new one without a place stops the generator. */
import type {
  ConfigEntry,
  ConfigSpec,
  JsonSchema,
} from "../../packages/runtime/src/index.ts";
import { controlSpec } from "../../services/control/src/config.ts";
import { dispatcherSpec } from "../../services/dispatcher/src/config.ts";
import { ingestSpec } from "../../services/ingest/src/config.ts";
import {
  migrateSpec,
  recorderSpec,
} from "../../services/recorder/src/config.ts";
import { retrySchedulerSpec } from "../../services/retry-scheduler/src/config.ts";

/** By the name that `postrider start` takes. */
export const SERVICE_SPECS: Readonly<Record<string, ConfigSpec>> = {
  ingest: ingestSpec,
  dispatcher: dispatcherSpec,
  "retry-scheduler": retrySchedulerSpec,
  recorder: recorderSpec,
  control: controlSpec,
};

/** Set by the templates themselves. */
const BY_TEMPLATES = new Set([
  "POSTRIDER_SOURCES_FILE",
  "POSTRIDER_HOST",
  "POSTRIDER_PORT",
  "POSTRIDER_ADMIN_HOST",
  "POSTRIDER_ADMIN_PORT",
]);

/** Not offered: a ledger is for fault runs; and an installation whose ingest is a door alone would route nothing. */
const NOT_OFFERED = new Set([
  "POSTRIDER_RUNNER_LEDGER",
  "POSTRIDER_INGEST_ROLES",
]);

const SECRETS = new Set(["POSTRIDER_ADMIN_KEY", "POSTRIDER_ENCRYPTION_KEYS"]);

/** What belongs to a connection is set by its block: `kafka`, `schemaRegistry`, `clickhouse`. */
const CONNECTIONS: Readonly<Record<string, readonly string[]>> = {
  KAFKA_BROKERS: [
    "KAFKA_TLS",
    "KAFKA_TLS_CA",
    "KAFKA_TLS_CERT",
    "KAFKA_TLS_KEY",
    "KAFKA_TLS_KEY_PASSWORD",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
    "KAFKA_OAUTH_TOKEN_URL",
    "KAFKA_OAUTH_CLIENT_ID",
    "KAFKA_OAUTH_CLIENT_SECRET",
    "KAFKA_OAUTH_SCOPE",
    "KAFKA_AWS_REGION",
  ],
  SCHEMA_REGISTRY_URL: [
    "SCHEMA_REGISTRY_USERNAME",
    "SCHEMA_REGISTRY_PASSWORD",
    "SCHEMA_REGISTRY_TOKEN",
    "SCHEMA_REGISTRY_TLS_CA",
    "SCHEMA_REGISTRY_TLS_CERT",
    "SCHEMA_REGISTRY_TLS_KEY",
  ],
  CLICKHOUSE_URL: [
    "CLICKHOUSE_USER",
    "CLICKHOUSE_PASSWORD",
    "CLICKHOUSE_TLS_CA",
  ],
  CLICKHOUSE_TENANT_USER: ["CLICKHOUSE_TENANT_PASSWORD"],
};
export const OF_CONNECTIONS: ReadonlySet<string> = new Set(
  Object.values(CONNECTIONS).flat(),
);

/** What services agree on, so that no service may have a value of its own. */
const ONE_FOR_ALL = new Set([
  "POSTRIDER_TOPIC_PREFIX",
  "POSTRIDER_CLICKHOUSE_DATABASE",
  "POSTRIDER_TIERS",
  "POSTRIDER_ALLOW_CIDRS",
  "POSTRIDER_DENY_CIDRS",
  "POSTRIDER_ALLOW_HTTP",
  "POSTRIDER_RECORD_PAYLOADS",
]);

/** Narrower than the service's own range. */
const CIDR = "[0-9a-fA-F.:]+/[0-9]{1,3}";
const CIDRS = `^${CIDR}(, ?${CIDR})*$`;
const PATTERNS: Readonly<Record<string, string>> = {
  // Also parts of a NetworkPolicy, which wants the `/`.
  POSTRIDER_ALLOW_CIDRS: CIDRS,
  POSTRIDER_DENY_CIDRS: CIDRS,
  // Also parts of topics' names.
  POSTRIDER_TIERS: "^[0-9]{1,6}(ms|s|m|h)(,[0-9]{1,6}(ms|s|m|h))*$",
  POSTRIDER_TOPIC_PREFIX: "^[A-Za-z0-9._-]{1,200}$",
  POSTRIDER_CLICKHOUSE_DATABASE: "^[A-Za-z_][A-Za-z0-9_]*$",
};

type Place = "config" | "secrets" | "connections" | "none";

function placeOf({ env, secret }: ConfigEntry): Place {
  if (BY_TEMPLATES.has(env) || NOT_OFFERED.has(env) || OF_CONNECTIONS.has(env))
    return "none";
  if (env in CONNECTIONS) return "connections";
  if (SECRETS.has(env)) return "secrets";
  if (secret === true || /^(KAFKA|SCHEMA_REGISTRY|CLICKHOUSE)_/.test(env))
    throw new Error(
      `${env} has no place in the chart: give it one in scripts/chart/variables.ts and in deploy/helm/postrider/templates.`,
    );
  return "config";
}

function entriesOf(spec: ConfigSpec, place: Place): readonly ConfigEntry[] {
  return Object.values(spec).filter((entry) => placeOf(entry) === place);
}

/** What the templates read: for each component its variables, by their place. */
export function variablesOfComponents(): Record<
  string,
  Record<"config" | "secrets" | "connections", readonly string[]>
> {
  const ofSpec = (spec: ConfigSpec) => ({
    config: entriesOf(spec, "config").map(({ env }) => env),
    secrets: entriesOf(spec, "secrets").map(({ env }) => env),
    connections: entriesOf(spec, "connections").map(({ env }) => env),
  });
  return {
    ...Object.fromEntries(
      Object.entries(SERVICE_SPECS).map(([name, spec]) => [name, ofSpec(spec)]),
    ),
    topics: {
      config: ["POSTRIDER_TOPIC_PREFIX", "POSTRIDER_TIERS"],
      secrets: [],
      connections: ["KAFKA_BROKERS"],
    },
    migrations: ofSpec(migrateSpec),
  };
}

/** The settings that `config` takes for every service, by variable. */
export function sharedSettings(): ReadonlyMap<string, ConfigEntry> {
  const all = Object.values(SERVICE_SPECS).flatMap((spec) =>
    entriesOf(spec, "config"),
  );
  return new Map(all.map((entry) => [entry.env, entry]));
}

/** The settings that a service's own `config` takes. */
export function ownSettings(service: string): ReadonlyMap<string, ConfigEntry> {
  const own = entriesOf(SERVICE_SPECS[service]!, "config").filter(
    ({ env }) => !ONE_FOR_ALL.has(env),
  );
  return new Map(own.map((entry) => [entry.env, entry]));
}

/** The entry of a variable, whichever service has it; undefined for a variable that none has. */
export function entryOf(variable: string): ConfigEntry | undefined {
  return Object.values(SERVICE_SPECS)
    .flatMap((spec) => Object.values(spec))
    .find(({ env }) => env === variable);
}

/** A setting's range as the chart takes it. */
export function schemaOf({ env, parse, doc }: ConfigEntry): JsonSchema {
  const pattern = PATTERNS[env];
  const range = parse.schema ?? { type: "string", minLength: 1 };
  return {
    ...(pattern === undefined ? range : { type: "string", pattern }),
    description: doc,
  };
}
