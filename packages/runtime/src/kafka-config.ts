/** How Kafka is reached: brokers, TLS and SASL. Every service and every command reads the same variables. */
import { boolean, brokers, oneOf, text, url } from "./config-parsers.ts";
import { pem, together, unusable, type Values } from "./config-rules.ts";
import type { ConfigEntry, ConfigOf } from "./config.ts";
import {
  belongs,
  onlyWithTls,
  SASL_MECHANISMS,
  type SaslMechanism,
} from "./kafka-rules.ts";

const BY_PASSWORD: readonly SaslMechanism[] = [
  "plain",
  "scram-sha-256",
  "scram-sha-512",
];

export const kafkaConfig = {
  kafkaBrokers: {
    env: "KAFKA_BROKERS",
    parse: brokers,
    doc: "Brokers to connect to first, host:port separated by commas.",
  },
  kafkaTls: {
    env: "KAFKA_TLS",
    parse: boolean,
    default: "false",
    doc: "Whether the brokers speak TLS.",
  },
  kafkaTlsCa: {
    env: "KAFKA_TLS_CA",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) => onlyWithTls(values, "kafkaTlsCa") ?? unusableCa(values),
    doc: "The authorities that the brokers' certificates must come from; without it, those that Node trusts. Read again when the file changes.",
  },
  kafkaTlsCert: {
    env: "KAFKA_TLS_CERT",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      onlyWithTls(values, "kafkaTlsCert") ??
      together(values, "kafkaTlsCert", "kafkaTlsKey", "KAFKA_TLS_KEY"),
    doc: "The client's certificate (mTLS), with its chain. Read again when the file changes.",
  },
  kafkaTlsKey: {
    env: "KAFKA_TLS_KEY",
    parse: pem,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      onlyWithTls(values, "kafkaTlsKey") ??
      together(values, "kafkaTlsKey", "kafkaTlsCert", "KAFKA_TLS_CERT") ??
      fits(values),
    doc: "The key of the client's certificate. Read again when the file changes.",
  },
  kafkaTlsKeyPassword: {
    env: "KAFKA_TLS_KEY_PASSWORD",
    parse: text,
    default: null,
    secret: true,
    live: true,
    doc: "Opens KAFKA_TLS_KEY, if it is encrypted.",
  },
  kafkaSaslMechanism: {
    env: "KAFKA_SASL_MECHANISM",
    parse: oneOf(SASL_MECHANISMS),
    default: null,
    doc: "How to sign in to the brokers; none: without signing in, or by the client's certificate.",
  },
  kafkaSaslUsername: {
    env: "KAFKA_SASL_USERNAME",
    parse: text,
    default: null,
    check: (values) => belongs(values, "kafkaSaslUsername", BY_PASSWORD),
    doc: "The user of plain and scram.",
  },
  kafkaSaslPassword: {
    env: "KAFKA_SASL_PASSWORD",
    parse: text,
    default: null,
    secret: true,
    live: true,
    check: (values) => belongs(values, "kafkaSaslPassword", BY_PASSWORD),
    doc: "The user's password. A changed file is used for new connections.",
  },
  kafkaOauthTokenUrl: {
    env: "KAFKA_OAUTH_TOKEN_URL",
    parse: url,
    default: null,
    check: (values) => belongs(values, "kafkaOauthTokenUrl", ["oauthbearer"]),
    doc: "Where oauthbearer gets its tokens: the token endpoint of the client credentials grant.",
  },
  kafkaOauthClientId: {
    env: "KAFKA_OAUTH_CLIENT_ID",
    parse: text,
    default: null,
    check: (values) => belongs(values, "kafkaOauthClientId", ["oauthbearer"]),
    doc: "The client at the token endpoint.",
  },
  kafkaOauthClientSecret: {
    env: "KAFKA_OAUTH_CLIENT_SECRET",
    parse: text,
    default: null,
    secret: true,
    live: true,
    check: (values) =>
      belongs(values, "kafkaOauthClientSecret", ["oauthbearer"]),
    doc: "The client's secret. A changed file is used for the next token.",
  },
  kafkaOauthScope: {
    env: "KAFKA_OAUTH_SCOPE",
    parse: text,
    default: null,
    check: (values) =>
      belongs(values, "kafkaOauthScope", ["oauthbearer"], "optional"),
    doc: "The scope to ask for, where the token endpoint wants one.",
  },
  kafkaAwsRegion: {
    env: "KAFKA_AWS_REGION",
    parse: text,
    default: null,
    check: (values) => belongs(values, "kafkaAwsRegion", ["aws-msk-iam"]),
    doc: "The region of the MSK cluster, for aws-msk-iam.",
  },
} as const satisfies Record<string, ConfigEntry>;

export type KafkaConfig = ConfigOf<typeof kafkaConfig>;

function unusableCa(values: Values): string | null {
  // It was read by its own entry above.
  const { kafkaTlsCa } = values as Partial<KafkaConfig>;
  return kafkaTlsCa ? unusable({ ca: kafkaTlsCa() }, "as an authority") : null;
}

/** A key that is not the certificate's is found at the start and not at the first connection. */
function fits(values: Values): string | null {
  // Each was read by its own entry above.
  const config = values as Partial<KafkaConfig>;
  return config.kafkaTlsCert && config.kafkaTlsKey
    ? unusable(tlsOf(config), "with KAFKA_TLS_CERT")
    : null;
}

/** What `tls.connect` takes, as the files are now. Throws if a file has become unreadable. */
export function tlsOf(config: Partial<KafkaConfig>): {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
} {
  const { kafkaTlsCa, kafkaTlsCert, kafkaTlsKey } = config;
  const { kafkaTlsKeyPassword } = config;
  return {
    ...(kafkaTlsCa && { ca: kafkaTlsCa() }),
    ...(kafkaTlsCert && { cert: kafkaTlsCert() }),
    ...(kafkaTlsKey && { key: kafkaTlsKey() }),
    ...(kafkaTlsKeyPassword && { passphrase: kafkaTlsKeyPassword() }),
  };
}
