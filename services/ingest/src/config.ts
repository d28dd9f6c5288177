import {
  type Cidr,
  DEFAULT_MAX_PAYLOAD_BYTES,
  type InlinePolicy,
  parseCidrs,
} from "@postrider/core";
import { sourcesConfig } from "@postrider/messaging";
import {
  commonConfig,
  type ConfigOf,
  type ConfigSpec,
  kafkaConfig,
  duration,
  type Env,
  integer,
  list,
  listenConfig,
  type Parse,
  processConfig,
  readConfig,
  registryConfig,
  tracesConfig,
} from "@postrider/runtime";

const cidrs: Parse<readonly Cidr[]> = Object.assign(
  (text: string) => parseCidrs(text),
  { expects: "blocks of addresses such as 10.0.0.0/8,fd00::/8" },
);

export const ROLES = ["door", "route"] as const;
/** What this process does: the HTTP door, the route stage, or both. */
export type Role = (typeof ROLES)[number];

const ROLES_HELP = "door, route, or both separated by a comma";

const roles: Parse<readonly Role[]> = Object.assign(
  (text: string) => {
    const named = list(text).map((name) => ROLES.find((one) => one === name));
    const known = named.filter((role) => role !== undefined);
    if (known.length !== named.length) throw new Error(`must be ${ROLES_HELP}`);
    return known;
  },
  { expects: ROLES_HELP },
);

const inlinePolicy: Parse<InlinePolicy> = Object.assign(
  (text: string): InlinePolicy => {
    const words = list(text).map((word) => word.toLowerCase());
    if (words.length === 1 && (words[0] === "allow" || words[0] === "deny"))
      return { kind: words[0] };
    const wrong = words.find((word) => !/^[a-z0-9.[\]:-]+$/.test(word));
    if (wrong !== undefined)
      throw new Error(
        `has the entry ${JSON.stringify(wrong)}, not a host name`,
      );
    return { kind: "hosts", hosts: words };
  },
  { expects: "allow, deny, or hosts separated by commas" },
);

export const ingestSpec = {
  ...kafkaConfig,
  topicPrefix: commonConfig.topicPrefix,
  ...registryConfig,
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  unknownSchemaWaitMs: commonConfig.unknownSchemaWaitMs,
  allowCidrs: { ...commonConfig.allowCidrs, parse: cidrs },
  denyCidrs: { ...commonConfig.denyCidrs, parse: cidrs },
  allowHttp: commonConfig.allowHttp,
  encryptionKeys: commonConfig.encryptionKeys,
  adminKey: commonConfig.adminKey,
  roles: {
    env: "POSTRIDER_INGEST_ROLES",
    parse: roles,
    default: "door,route",
    doc: "What this process does: the HTTP door, the route stage, or both.",
  },
  inlineDestinations: {
    env: "POSTRIDER_INLINE_DESTINATIONS",
    parse: inlinePolicy,
    default: "allow",
    doc: "Whether events may bring their own destination: allow, deny, or only to these hosts.",
  },
  maxPayloadBytes: {
    env: "POSTRIDER_MAX_PAYLOAD_BYTES",
    parse: integer(1, 786_432),
    default: String(DEFAULT_MAX_PAYLOAD_BYTES),
    doc: "The largest payload of an event.",
  },
  ...sourcesConfig,
  recordPayloads: commonConfig.recordPayloads,
  maxBodyBytes: {
    env: "POSTRIDER_MAX_BODY_BYTES",
    parse: integer(1_024, 67_108_864),
    default: "8388608",
    doc: "The largest body that the door reads.",
  },
  maxFanOut: {
    env: "POSTRIDER_MAX_FAN_OUT",
    parse: integer(1, 100_000),
    default: "10000",
    doc: "The most endpoints that one event is delivered to; an event that more want is refused.",
  },
  duplicateWindowRecords: {
    env: "POSTRIDER_DUPLICATE_WINDOW_RECORDS",
    parse: integer(0, 1_000_000),
    default: "10000",
    doc: "Among how many of the last records of a partition an event is recognised as a repeat.",
  },
  duplicateWindowBytes: {
    env: "POSTRIDER_DUPLICATE_WINDOW_BYTES",
    parse: integer(0, 268_435_456),
    default: "16777216",
    doc: "And among how many of its last bytes; they are read again when the partition is assigned.",
  },
  doorTimeoutMs: {
    env: "POSTRIDER_DOOR_TIMEOUT",
    parse: duration,
    default: "10s",
    doc: "How long a request waits for Kafka's acknowledgement before it is answered with 503.",
  },
  doorQueueBytes: {
    env: "POSTRIDER_DOOR_QUEUE_BYTES",
    parse: integer(1_048_576, 1_073_741_824),
    default: "67108864",
    doc: "How many bytes of requests may be taken in at once, and how many may wait for Kafka after their answer, before more are answered with 503.",
  },
  ...listenConfig(7401),
  ...tracesConfig,
  ...processConfig(9400),
} as const satisfies ConfigSpec;

export type IngestConfig = ConfigOf<typeof ingestSpec>;

/** Throws a `ConfigError` that lists every problem. */
export function readIngestConfig(env: Env): IngestConfig {
  return readConfig(env, ingestSpec);
}
