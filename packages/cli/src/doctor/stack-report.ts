/** All checks of the stack that the environment names, or that `dev` runs here. */
import {
  commonConfig,
  ConfigError,
  createKeyRing,
  kafkaConfig,
  readConfig,
} from "@postrider/runtime";
import { findAddresses } from "../addresses.ts";
import { EXIT, reasonOf } from "../cli-error.ts";
import { readiness } from "../processes/services.ts";
import { brokerChecks } from "./broker-checks.ts";
import { failed, fine, type Finding } from "./finding.ts";
import { kafkaChecks } from "./kafka-checks.ts";
import { clickhouseChecks, registryChecks } from "./store-checks.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** In the order in which a person would look. What cannot be asked is a finding; nothing is changed anywhere. */
export async function checkStack(env: Env = process.env): Promise<Finding[]> {
  const settings = settingsChecks(env);
  // With settings that cannot be read every check of Kafka would fail for the same reason.
  const kafka = settings.some(({ state }) => state === "failed")
    ? []
    : [brokers(env), kafkaChecks(), registryChecks()];
  const found = await Promise.all([
    ...kafka,
    clickhouseChecks(),
    serviceChecks(),
  ]);
  return [...settings, ...found.flat()];
}

function settingsChecks(env: Env): Finding[] {
  return [...kafkaSettings(env), ...keyRing(env)];
}

function kafkaSettings(env: Env): Finding[] {
  if (!env["KAFKA_BROKERS"]) return [];
  const check = "settings for Kafka";
  try {
    readConfig(env, kafkaConfig);
    return [fine(check, "complete")];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ message }) =>
      failed(check, message, "See docs/security.md", EXIT.usage),
    );
  }
}

/** As the services read them, but optional: whoever asks the doctor need not have them. */
const KEYS = {
  encryptionKeys: { ...commonConfig.encryptionKeys, default: null },
} as const;

/** That the keys can be read, and that what the newest seals opens again. */
function keyRing(env: Env): Finding[] {
  const check = "encryption keys";
  try {
    const { encryptionKeys } = readConfig(env, KEYS);
    if (encryptionKeys === null) return [];
    const ring = createKeyRing(encryptionKeys);
    const sealed = ring.seal(Buffer.from("doctor"), "doctor");
    ring.open(sealed, "doctor");
    return [fine(check, `${encryptionKeys.length}, the newest seals`)];
  } catch (error) {
    const next = "Correct POSTRIDER_ENCRYPTION_KEYS or the file that it is in.";
    return [failed(check, reasonOf(error), next, EXIT.usage)];
  }
}

async function brokers(env: Env): Promise<Finding[]> {
  const kafkaBrokers = findAddresses(env).kafka().brokers;
  // TLS and SASL of the environment are for the environment's brokers, not for those of `dev`.
  return await brokerChecks(
    env["KAFKA_BROKERS"] ? readConfig(env, kafkaConfig) : { kafkaBrokers },
  );
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
