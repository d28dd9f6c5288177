import { expect, test } from "@jest/globals";
import { makeCertificate } from "@postrider/testkit";
import { ConfigError, readConfig } from "./config.ts";
import { kafkaConfig, tlsOf } from "./kafka-config.ts";

const BROKERS = { KAFKA_BROKERS: "a:1" };
const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig({ ...BROKERS, ...env }, kafkaConfig);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

test("without TLS and SASL nothing but the brokers is needed", () => {
  expect(problemsOf({})).toEqual([]);
});

test("what a mechanism needs is required, and what belongs to another is refused", () => {
  expect(
    problemsOf({
      KAFKA_SASL_MECHANISM: "scram-sha-512",
      KAFKA_SASL_USERNAME: "alice",
      KAFKA_OAUTH_CLIENT_ID: "alice",
    }),
  ).toEqual([
    "KAFKA_SASL_PASSWORD is not set, and KAFKA_SASL_MECHANISM is scram-sha-512",
    "KAFKA_OAUTH_CLIENT_ID is set, but KAFKA_SASL_MECHANISM is scram-sha-512, not oauthbearer",
  ]);
  expect(problemsOf({ KAFKA_SASL_USERNAME: "alice" })).toEqual([
    "KAFKA_SASL_USERNAME is set, but KAFKA_SASL_MECHANISM is not set",
  ]);
  expect(problemsOf({ KAFKA_SASL_MECHANISM: "aws-msk-iam" })).toEqual([
    "KAFKA_AWS_REGION is not set, and KAFKA_SASL_MECHANISM is aws-msk-iam",
  ]);
});

test("an unknown mechanism is one problem, not one for each variable of it", () => {
  expect(
    problemsOf({
      KAFKA_SASL_MECHANISM: "gssapi",
      KAFKA_SASL_USERNAME: "alice",
    }),
  ).toEqual([
    'KAFKA_SASL_MECHANISM must be one of plain, scram-sha-256, scram-sha-512, oauthbearer, aws-msk-iam; got "gssapi"',
  ]);
});

test("certificates need TLS, and a certificate its key", () => {
  expect(problemsOf({ KAFKA_TLS_CA: PEM })).toEqual([
    "KAFKA_TLS_CA is set, but KAFKA_TLS is not true",
  ]);
  expect(problemsOf({ KAFKA_TLS: "true", KAFKA_TLS_CERT: PEM })).toEqual([
    "KAFKA_TLS_CERT is set, but KAFKA_TLS_KEY is not",
  ]);
});

test("a certificate that cannot be used is found at the start, without showing what it was", () => {
  const [problem] = problemsOf({
    KAFKA_TLS: "true",
    KAFKA_TLS_CERT: PEM,
    KAFKA_TLS_KEY: PEM,
  });
  expect(problem).toMatch(/^KAFKA_TLS_KEY cannot be used with KAFKA_TLS_CERT/);
  expect(problemsOf({ KAFKA_TLS: "true", KAFKA_TLS_CA: "MIIB" })).toEqual([
    'KAFKA_TLS_CA must be PEM, which has a line -----BEGIN …-----; got "[redacted]"',
  ]);
});

test("a file is read again at each look, and a text from the environment stays", () => {
  const [first, second] = [1, 2].map(() => makeCertificate({ hosts: ["a"] }));
  let content = first!.cert;
  const config = readConfig(
    {
      ...BROKERS,
      KAFKA_TLS: "true",
      KAFKA_TLS_CA_FILE: "/ca.pem",
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: "alice",
      KAFKA_SASL_PASSWORD: "s3cret",
    },
    kafkaConfig,
    () => content,
  );

  expect(tlsOf(config)).toEqual({ ca: first!.cert.trim() });
  content = second!.cert;
  expect(tlsOf(config)).toEqual({ ca: second!.cert.trim() });
  expect(config.kafkaSaslPassword?.()).toBe("s3cret");
  expect(JSON.stringify(config)).not.toContain("s3cret");
});
