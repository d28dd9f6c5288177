/** A broker's listeners with TLS, its users and its authorizer. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SecureListeners } from "./stack.ts";

export interface SecureSettings extends SecureListeners {
  /** Where the certificates are written. */
  readonly dir: string;
  readonly saslPort: number;
  readonly mutualPort: number;
}

const MODULES = "org.apache.kafka.common.security";
const SCRAMS = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

/** Writes the certificates and returns the settings of the listeners `SASL` and `MUTUAL`. */
export function secureSettings(
  options: SecureSettings,
): Record<string, string> {
  const { dir, certificate, trusted, users, reauthenticateMs = 0 } = options;
  const keyStore = join(dir, "broker.pem");
  writeFileSync(keyStore, `${certificate.key}${certificate.cert}`);
  const trustStore = join(dir, "trusted.pem");
  writeFileSync(trustStore, trusted.join("\n"));
  const plain = Object.entries(users)
    .map(([name, password]) => `user_${name}="${password}"`)
    .join(" ");
  const jaas = (mechanism: string, module: string): [string, string] => [
    `listener.name.sasl.${mechanism}.sasl.jaas.config`,
    `${MODULES}.${module};`,
  ];
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": keyStore,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": trustStore,
    "listener.name.mutual.ssl.client.auth": "required",
    "listener.name.sasl.sasl.enabled.mechanisms": [
      "PLAIN",
      "OAUTHBEARER",
      ...SCRAMS,
    ].join(),
    "connections.max.reauth.ms": String(reauthenticateMs),
    ...Object.fromEntries([
      jaas("plain", `plain.PlainLoginModule required ${plain}`),
      ...SCRAMS.map((name) =>
        jaas(name.toLowerCase(), "scram.ScramLoginModule required"),
      ),
      // Tokens without a signature are enough for a test: the broker takes the name from the claim `sub`.
      jaas(
        "oauthbearer",
        'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"',
      ),
    ]),
    "authorizer.class.name":
      "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
  };
}

/** Formats the data folder with the users of SCRAM, which Kafka keeps in its own log. */
export async function addScramUsers(
  { users }: SecureSettings,
  broker: {
    readonly command: string;
    readonly classPath: string;
    readonly settings: string;
    readonly clusterId: string;
  },
): Promise<void> {
  const scrams = SCRAMS.flatMap((mechanism) =>
    Object.entries(users).flatMap(([name, password]) => [
      "--add-scram",
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  await promisify(execFile)(broker.command, [
    "-cp",
    broker.classPath,
    "kafka.tools.StorageTool",
    "format",
    "--ignore-formatted",
    // As one word: an id may begin with a dash.
    `--cluster-id=${broker.clusterId}`,
    "--config",
    broker.settings,
    ...scrams,
  ]);
}
