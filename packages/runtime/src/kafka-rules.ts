/** Which of the variables for Kafka go together. Each rule completes "VARIABLE …", or is null where it is kept. */
import { isSet, type Values } from "./config-rules.ts";

export const SASL_MECHANISMS = [
  "plain",
  "scram-sha-256",
  "scram-sha-512",
  "oauthbearer",
  "aws-msk-iam",
] as const;
/** How a client proves to the broker who it is. */
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

export function onlyWithTls(values: Values, name: string): string | null {
  return isSet(values, name) && values["kafkaTls"] === false
    ? "is set, but KAFKA_TLS is not true"
    : null;
}

/** The variable belongs to these mechanisms: it is required with them, unless it is optional, and refused with others. */
export function belongs(
  values: Values,
  name: string,
  mechanisms: readonly SaslMechanism[],
  need: "required" | "optional" = "required",
): string | null {
  // Read by its own entry (kafka-config.ts).
  const mechanism = values["kafkaSaslMechanism"] as
    SaslMechanism | null | undefined;
  if (mechanism === undefined) return null; // has a problem of its own
  const isOurs = mechanisms.some((one) => one === mechanism);
  if (isOurs && need === "required" && !isSet(values, name))
    return `is not set, and KAFKA_SASL_MECHANISM is ${mechanism}`;
  if (!isOurs && isSet(values, name))
    return `is set, but KAFKA_SASL_MECHANISM is ${mechanism === null ? "not set" : `${mechanism}, not ${mechanisms.join(" or ")}`}`;
  return null;
}
