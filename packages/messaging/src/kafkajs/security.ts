/** What kafkajs needs to speak TLS and to sign in. Files are read again for each connection, so that new certificates and passwords need no restart. */
import type { ConnectionOptions, SecureContext } from "node:tls";
import type { KafkaConfig as KafkajsConfig } from "kafkajs";
import {
  lastGood,
  liveSecureContext,
  tlsOf,
  type KafkaConfig,
  type Log,
} from "@postrider/runtime";
import { mskToken } from "./msk-token.ts";
import { createOauthTokens } from "./oauth-tokens.ts";

type Security = Pick<KafkajsConfig, "ssl" | "sasl">;
type Sasl = NonNullable<KafkajsConfig["sasl"]>;

/** kafkajs reads `ssl` and `sasl` at each connection, so both are objects whose getters answer what holds now. */
export function securityOf(config: KafkaConfig, log: Log): Security {
  const sasl = saslOf(config, log);
  return {
    ...(config.kafkaTls && { ssl: liveTls(config, log) }),
    ...(sasl !== null && { sasl }),
  };
}

const EVENT = "kafka.secretNotReadAgain";

function liveTls(config: KafkaConfig, log: Log): ConnectionOptions {
  const current = liveSecureContext(() => tlsOf(config), {
    event: EVENT,
    variable: "KAFKA_TLS",
    log,
  });
  return {
    get secureContext(): SecureContext {
      return current();
    },
  };
}

function saslOf(config: KafkaConfig, log: Log): Sasl | null {
  const mechanism = config.kafkaSaslMechanism;
  switch (mechanism) {
    case null:
      return null;
    case "oauthbearer":
      return { mechanism, oauthBearerProvider: createOauthTokens(config) };
    case "aws-msk-iam":
      return {
        mechanism: "oauthbearer",
        oauthBearerProvider: mskToken(config.kafkaAwsRegion!),
      };
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return byPassword(config, mechanism, log);
  }
}

function byPassword(
  config: KafkaConfig,
  mechanism: "plain" | "scram-sha-256" | "scram-sha-512",
  log: Log,
): Sasl {
  if (mechanism === "plain" && !config.kafkaTls)
    log.warn("kafka.passwordInClear", {
      what: "KAFKA_SASL_MECHANISM is plain and KAFKA_TLS is not true: the password can be read on the network.",
    });
  // The configuration is refused without user and password (kafka-config.ts).
  const username = config.kafkaSaslUsername!;
  const current = lastGood(config.kafkaSaslPassword!, {
    event: EVENT,
    variable: "KAFKA_SASL_PASSWORD_FILE",
    log,
  });
  return {
    mechanism,
    username,
    get password(): string {
      return current();
    },
    // kafkajs' type has a union for each mechanism, which a union of mechanisms does not fit.
  } as Sasl;
}
