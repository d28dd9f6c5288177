/** All checks of the stack that the environment names, or that `dev` runs here. */
import { clickhouseConfig, kafkaConfig, readConfig } from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { EXIT } from "../cli-error.ts";
import type { ServiceName } from "../processes/service-process.ts";
import { readiness } from "../processes/services.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";
import { kafkaChecks } from "./kafka-checks.ts";
import { serviceKafkaChecks } from "./rights-checks.ts";
import { brokerChecks, type ClickHouseServer } from "./server-checks.ts";
import { settingsChecks, type Part } from "./settings-checks.ts";
import { sourceChecks } from "./source-checks.ts";
import { clickhouseChecks, registryChecks } from "./store-checks.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The services that use ClickHouse. */
const USE_CLICKHOUSE: readonly ServiceName[] = ["recorder", "control"];

/**
 * In the order in which a person would look. What cannot be asked is a finding; nothing is changed anywhere. With `as` it is asked
 * what this service may do, as the user whom the environment names; what only an administrator may look at is left out.
 */
export async function checkStack(
  as: ServiceName | null,
  env: Env = process.env,
): Promise<Finding[]> {
  const { findings, unreadable } = settingsChecks(env);
  const checks: readonly (readonly [Part, () => Promise<Finding[]>])[] = [
    ["kafka", () => brokers(env)],
    [
      "kafka",
      () => (as === null ? kafkaChecks() : serviceKafkaChecks(as, env)),
    ],
    ...(as === null || as === "ingest"
      ? ([["kafka", () => sourceChecks(env)]] as const)
      : []),
    ["registry", () => registryChecks()],
    ...(as === null || USE_CLICKHOUSE.includes(as)
      ? ([
          ["clickhouse", () => clickhouseChecks(as, clickhouseOf(env))],
        ] as const)
      : []),
  ];
  const addresses = findAddresses(env);
  const isDev = addresses.dev() !== null;
  const wanted = ADDRESSED.filter((part) => checks.some(([of]) => of === part));
  const absent: readonly Part[] = isDev
    ? []
    : wanted.filter((part) => !isKnown(part, env));
  // With no address at all: the error that says how to start a stack.
  if (absent.length === wanted.length) addresses.kafka();
  const found = await Promise.all([
    ...checks
      .filter(([part]) => !unreadable.has(part) && !absent.includes(part))
      .map(async ([, check]) => await check()),
    ...(as === null ? [serviceChecks()] : []),
  ]);
  return [...findings, ...absent.map(notLookedAt), ...found.flat()];
}

/** The servers that a stack cannot be without. */
const ADDRESSED = ["kafka", "clickhouse"] as const;
const ADDRESS_OF = {
  kafka: "KAFKA_BROKERS",
  clickhouse: "CLICKHOUSE_URL",
  registry: "SCHEMA_REGISTRY_URL",
} as const satisfies Record<Part, string>;

function isKnown(part: Part, env: Env): boolean {
  const variable = ADDRESS_OF[part];
  return Boolean(env[variable] || env[`${variable}_FILE`]);
}

function notLookedAt(part: Part): Finding {
  const variable = ADDRESS_OF[part];
  return warning(
    part,
    `not looked at: ${variable} is not set`,
    `Set ${variable}, if you want to know.`,
  );
}

async function brokers(env: Env): Promise<Finding[]> {
  const kafkaBrokers = findAddresses(env).kafka().brokers;
  // TLS and SASL of the environment are for the environment's brokers, not for those of `dev`.
  return await brokerChecks(
    env["KAFKA_BROKERS"] ? readConfig(env, kafkaConfig) : { kafkaBrokers },
  );
}

function clickhouseOf(env: Env): ClickHouseServer {
  return env["CLICKHOUSE_URL"] || env["CLICKHOUSE_URL_FILE"]
    ? readConfig(env, clickhouseConfig)
    : { clickhouseUrl: findAddresses(env).clickhouse().url };
}

/** Of `dev` alone: where other services' admin ports are is not known here. */
async function serviceChecks(): Promise<Finding[]> {
  const dev = findAddresses().dev();
  const services = dev?.file.services ?? [];
  return await Promise.all(
    services.map(async ({ name, adminUrl }) => {
      const seen = await readiness(adminUrl);
      if (seen === null)
        return failed(
          name,
          `${adminUrl} does not answer`,
          `npx postrider start ${name}`,
          EXIT.unreachable,
        );
      return seen.isReady
        ? fine(name, "ready")
        : failed(name, seen.failing, "npx postrider status", EXIT.unreachable);
    }),
  );
}
