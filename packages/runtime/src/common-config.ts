import { boolean, duration, oneOf, port, text } from "./config-parsers.ts";
import type { ConfigEntry, Parse } from "./config.ts";
import { parseEncryptionKeys, type EncryptionKey } from "./key-ring.ts";
import { LOG_LEVELS } from "./log.ts";
import { DEFAULT_SESSION_TIMEOUT_MS } from "./session-timeout.ts";

const encryptionKeys: Parse<readonly EncryptionKey[]> = Object.assign(
  parseEncryptionKeys,
  { expects: "id:base64 of 32 bytes, more after commas, newest first" },
);

/** Settings that more than one service has. Each is defined here once, so its name and meaning are the same everywhere. */
export const commonConfig = {
  topicPrefix: {
    env: "POSTRIDER_TOPIC_PREFIX",
    parse: text,
    default: "postrider.",
    doc: "Comes before every topic name and group id.",
  },
  tiers: {
    env: "POSTRIDER_TIERS",
    parse: text,
    default: "1s,2s,4s,8s,16s,32s,64s,128s,256s,300s,1h",
    doc: "The delays that have a topic, shortest first.",
  },
  allowCidrs: {
    env: "POSTRIDER_ALLOW_CIDRS",
    parse: text,
    default: null,
    doc: "Address ranges, separated by commas, that deliveries may reach although policy refuses them. An allowed NAT64 or 6to4 range reaches private IPv4 addresses only if these are allowed, too.",
  },
  denyCidrs: {
    env: "POSTRIDER_DENY_CIDRS",
    parse: text,
    default: null,
    doc: "Address ranges, separated by commas, that deliveries never reach, even where POSTRIDER_ALLOW_CIDRS allows them. IPv4 ranges hold behind NAT64 (64:ff9b::/96), 6to4 and Teredo, too; for a NAT64 prefix of your own, deny the IPv6 form as well.",
  },
  allowHttp: {
    env: "POSTRIDER_ALLOW_HTTP",
    parse: boolean,
    default: "false",
    doc: "Whether endpoints may have http URLs.",
  },
  encryptionKeys: {
    env: "POSTRIDER_ENCRYPTION_KEYS",
    parse: encryptionKeys,
    secret: true,
    live: true,
    doc: "The keys that seal endpoint secrets; the newest, which comes first, seals, and all open. A changed file is used within a second.",
  },
  adminKey: {
    env: "POSTRIDER_ADMIN_KEY",
    parse: text,
    secret: true,
    doc: "The bearer key that may do everything.",
  },
  sessionTimeoutMs: {
    env: "POSTRIDER_SESSION_TIMEOUT",
    parse: duration,
    default: `${DEFAULT_SESSION_TIMEOUT_MS / 1000}s`,
    doc: "How long the broker waits for a silent consumer before its partitions move.",
  },
  recordPayloads: {
    env: "POSTRIDER_RECORD_PAYLOADS",
    parse: oneOf(["all", "none"]),
    default: "all",
    doc: "Whether ClickHouse and the topic `intake` keep the payloads of events: all, or none; sizes and receivers' answers are kept. With none, backfills and redrives of what was delivered have nothing to send.",
  },
  unknownSchemaWaitMs: {
    env: "POSTRIDER_UNKNOWN_SCHEMA_WAIT",
    parse: duration,
    default: "5m",
    doc: "How long a record whose schema is not known waits before it becomes a dead letter.",
  },
} as const satisfies Record<string, ConfigEntry>;

/** What `runService` itself needs: spread it into each service's spec. */
export function processConfig(adminPort: number) {
  return {
    logLevel: {
      env: "POSTRIDER_LOG_LEVEL",
      parse: oneOf(LOG_LEVELS),
      default: "info",
      doc: "The least level that is logged.",
    },
    adminHost: {
      env: "POSTRIDER_ADMIN_HOST",
      parse: text,
      default: "127.0.0.1",
      doc: "Where /livez, /readyz, /startupz and /metrics listen.",
    },
    adminPort: {
      env: "POSTRIDER_ADMIN_PORT",
      parse: port,
      default: String(adminPort),
      doc: "Their port; 0 takes any that is free.",
    },
  } as const satisfies Record<string, ConfigEntry>;
}

/** The host and port of a service's own API. */
export function listenConfig(defaultPort: number) {
  return {
    host: {
      env: "POSTRIDER_HOST",
      parse: text,
      default: "127.0.0.1",
      doc: "Where the API listens.",
    },
    port: {
      env: "POSTRIDER_PORT",
      parse: port,
      default: String(defaultPort),
      doc: "The API's port; 0 takes any that is free.",
    },
  } as const satisfies Record<string, ConfigEntry>;
}
