/** Whether the settings of the environment can be read and fit together, before anything is asked over the network. */
import {
  clickhouseConfig,
  commonConfig,
  ConfigError,
  createKeyRing,
  kafkaConfig,
  readConfig,
  registryConfig,
  type ConfigSpec,
} from "@postrider/runtime";
import { EXIT, reasonOf } from "../cli-error.ts";
import { unusedSettings, type AddressVariable } from "../owned-settings.ts";
import { failed, fine, warning, type Finding } from "./finding.ts";

type Env = Readonly<Record<string, string | undefined>>;

const SERVERS = [
  ["kafka", "settings for Kafka", "KAFKA_BROKERS", kafkaConfig],
  ["clickhouse", "settings for ClickHouse", "CLICKHOUSE_URL", clickhouseConfig],
  [
    "registry",
    "settings for the registry",
    "SCHEMA_REGISTRY_URL",
    registryConfig,
  ],
] as const satisfies readonly (readonly [
  part: string,
  check: string,
  address: AddressVariable,
  spec: ConfigSpec,
])[];
/** A server that settings are about. */
export type Part = (typeof SERVERS)[number][0];

export interface SettingsFindings {
  readonly findings: readonly Finding[];
  /** Asking these would fail for a reason that is told already. */
  readonly unreadable: ReadonlySet<Part>;
}

export function settingsChecks(env: Env): SettingsFindings {
  const unreadable = new Set<Part>();
  const findings = SERVERS.flatMap(([part, check, address, spec]) => {
    const found = settingsOf(check, { env, address, spec });
    if (found.some(({ state }) => state === "failed")) unreadable.add(part);
    return found;
  });
  return { findings: [...findings, ...keyRing(env)], unreadable };
}

function settingsOf(
  check: string,
  of: {
    readonly env: Env;
    readonly address: AddressVariable;
    readonly spec: ConfigSpec;
  },
): Finding[] {
  const { env, address, spec } = of;
  const unused = unusedSettings(address, env);
  if (unused !== null)
    return [warning(check, unused, `Set ${address}, or unset the others.`)];
  if (!env[address] && !env[`${address}_FILE`]) return [];
  try {
    readConfig(env, spec);
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
    const keys = encryptionKeys();
    const ring = createKeyRing(keys);
    const sealed = ring.seal(Buffer.from("doctor"), "doctor");
    ring.open(sealed, "doctor");
    return [fine(check, `${keys.length}, the newest seals`)];
  } catch (error) {
    const next = "Correct POSTRIDER_ENCRYPTION_KEYS or the file that it is in.";
    return [failed(check, reasonOf(error), next, EXIT.usage)];
  }
}
