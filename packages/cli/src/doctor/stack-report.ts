/** All checks of the stack that the environment names, or that `dev` runs here. */
import { clickhouseConfig, kafkaConfig, readConfig } from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { EXIT } from "../cli-error.ts";
import type { ServiceName } from "../processes/service-process.ts";
import { readiness } from "../processes/services.ts";
import { failed, fine, type Finding } from "./finding.ts";
import { kafkaChecks } from "./kafka-checks.ts";
import { serviceKafkaChecks } from "./rights-checks.ts";
import { brokerChecks, type ClickHouseServer } from "./server-checks.ts";
import { settingsChecks, type Part } from "./settings-checks.ts";
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
    ["registry", () => registryChecks()],
    ...(as === null || USE_CLICKHOUSE.includes(as)
      ? ([
          ["clickhouse", () => clickhouseChecks(as, clickhouseOf(env))],
        ] as const)
      : []),
  ];
  const found = await Promise.all([
    ...checks
      .filter(([part]) => !unreadable.has(part))
      .map(async ([, check]) => await check()),
    ...(as === null ? [serviceChecks()] : []),
  ]);
  return [...findings, ...found.flat()];
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
