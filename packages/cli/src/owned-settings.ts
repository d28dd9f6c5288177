/** Who we are at a server and whom we trust there belongs to the address that the environment gives, and never to a server that `dev` has started. */
import {
  clickhouseConfig,
  clickhouseTenantConfig,
  kafkaConfig,
  registryConfig,
  type ConfigEntry,
} from "@postrider/runtime";

type Env = Readonly<Record<string, string | undefined>>;

const { clickhouseUser, clickhousePassword, clickhouseTlsCa } =
  clickhouseConfig;

/** Each address with what belongs to it. */
const OWNED = {
  KAFKA_BROKERS: except(kafkaConfig, kafkaConfig.kafkaBrokers),
  CLICKHOUSE_URL: [
    clickhouseUser,
    clickhousePassword,
    clickhouseTlsCa,
    ...Object.values(clickhouseTenantConfig),
  ],
  SCHEMA_REGISTRY_URL: except(registryConfig, registryConfig.schemaRegistryUrl),
} as const satisfies Record<string, readonly ConfigEntry[]>;
export type AddressVariable = keyof typeof OWNED;

function except(
  config: Readonly<Record<string, ConfigEntry>>,
  address: ConfigEntry,
): readonly ConfigEntry[] {
  return Object.values(config).filter((entry) => entry !== address);
}

/** Empties all that belongs to the address. An empty variable counts as not set. */
export function withoutOwned(
  address: AddressVariable,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    OWNED[address].flatMap(({ env }) => [
      [env, ""],
      [`${env}_FILE`, ""],
    ]),
  );
}

/** A sentence for what is set and not used, because its address is not set; null if there is nothing. */
export function unusedSettings(
  address: AddressVariable,
  env: Env,
): string | null {
  if (env[address] || env[`${address}_FILE`]) return null;
  const set = OWNED[address]
    .filter((entry) => (env[entry.env] || entry.default) !== entry.default)
    .map((entry) => entry.env);
  const files = OWNED[address]
    .map((entry) => `${entry.env}_FILE`)
    .filter((name) => env[name]);
  const names = [...set, ...files];
  if (names.length === 0) return null;
  return `${address} is not set, so these are not used: ${names.join(", ")}.`;
}
