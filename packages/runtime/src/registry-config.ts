/** How the schema registry is reached: its address, who we are there and whom we trust. Every service and every command reads the same variables. */
import { text, url } from "./config-parsers.ts";
import {
  hasUser,
  isSet,
  onlyWithHttps,
  onlyWithUrl,
  pem,
  together,
  unusable,
  type Values,
} from "./config-rules.ts";
import type { ConfigEntry, ConfigOf } from "./config.ts";
import type { TlsTexts } from "./live-tls.ts";

const URL_VARIABLE = {
  name: "schemaRegistryUrl",
  variable: "SCHEMA_REGISTRY_URL",
};

export const registryConfig = {
  schemaRegistryUrl: {
    env: "SCHEMA_REGISTRY_URL",
    parse: url,
    default: null,
    check: (values) =>
      hasUser(values["schemaRegistryUrl"])
        ? "carries a user: use SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD"
        : null,
    doc: "A Confluent-compatible schema registry, where there is one.",
  },
  schemaRegistryUsername: {
    env: "SCHEMA_REGISTRY_USERNAME",
    parse: text,
    default: null,
    check: (values) =>
      onlyWithUrl(values, "schemaRegistryUsername", URL_VARIABLE) ??
      together(
        values,
        "schemaRegistryUsername",
        "schemaRegistryPassword",
        "SCHEMA_REGISTRY_PASSWORD",
      ),
    doc: "The user (or API key) of the registry, for basic authentication.",
  },
  schemaRegistryPassword: {
    env: "SCHEMA_REGISTRY_PASSWORD",
    parse: text,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      together(
        values,
        "schemaRegistryPassword",
        "schemaRegistryUsername",
        "SCHEMA_REGISTRY_USERNAME",
      ),
    doc: "The user's password (or API secret). A changed file is used for the next request.",
  },
  schemaRegistryToken: {
    env: "SCHEMA_REGISTRY_TOKEN",
    parse: text,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      onlyWithUrl(values, "schemaRegistryToken", URL_VARIABLE) ??
      (isSet(values, "schemaRegistryToken") &&
      isSet(values, "schemaRegistryUsername")
        ? "is set, and SCHEMA_REGISTRY_USERNAME, too: a request carries one of them"
        : null),
    doc: "A bearer token, instead of user and password. A changed file is used for the next request.",
  },
  schemaRegistryTlsCa: {
    env: "SCHEMA_REGISTRY_TLS_CA",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      onlyWithHttps(values, "schemaRegistryTlsCa", URL_VARIABLE) ??
      unusableTls(values, ["schemaRegistryTlsCa"], "as an authority"),
    doc: "The authorities that the registry's certificate must come from; without it, those that Node trusts. Read again when the file changes.",
  },
  schemaRegistryTlsCert: {
    env: "SCHEMA_REGISTRY_TLS_CERT",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      onlyWithHttps(values, "schemaRegistryTlsCert", URL_VARIABLE) ??
      together(
        values,
        "schemaRegistryTlsCert",
        "schemaRegistryTlsKey",
        "SCHEMA_REGISTRY_TLS_KEY",
      ),
    doc: "The client's certificate (mTLS), with its chain. Read again when the file changes.",
  },
  schemaRegistryTlsKey: {
    env: "SCHEMA_REGISTRY_TLS_KEY",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      together(
        values,
        "schemaRegistryTlsKey",
        "schemaRegistryTlsCert",
        "SCHEMA_REGISTRY_TLS_CERT",
      ) ??
      unusableTls(
        values,
        ["schemaRegistryTlsCert", "schemaRegistryTlsKey"],
        "with SCHEMA_REGISTRY_TLS_CERT",
      ),
    doc: "The key of the client's certificate. Read again when the file changes.",
  },
} as const satisfies Record<string, ConfigEntry>;

export type RegistryConfig = ConfigOf<typeof registryConfig>;

/** Of a registry that wants neither a user nor TLS of its own the URL is enough. */
export type RegistryAddress = Pick<RegistryConfig, "schemaRegistryUrl"> &
  Partial<RegistryConfig>;

/** What `tls.connect` takes, as the files are now. Throws if a file has become unreadable. */
export function registryTlsOf(config: RegistryAddress): TlsTexts {
  const { schemaRegistryTlsCa, schemaRegistryTlsCert } = config;
  const { schemaRegistryTlsKey } = config;
  return {
    ...(schemaRegistryTlsCa && { ca: schemaRegistryTlsCa() }),
    ...(schemaRegistryTlsCert && { cert: schemaRegistryTlsCert() }),
    ...(schemaRegistryTlsKey && { key: schemaRegistryTlsKey() }),
  };
}

/** Whether those of the certificates and keys that are named can be used, if all of them are set. */
function unusableTls(
  values: Values,
  names: readonly string[],
  whatFor: string,
): string | null {
  if (!names.every((name) => isSet(values, name))) return null;
  const named = Object.fromEntries(names.map((name) => [name, values[name]]));
  // Each was read by its own entry above.
  return unusable(registryTlsOf(named as unknown as RegistryAddress), whatFor);
}
