import { expect, test } from "@jest/globals";
import { ConfigError, readConfig } from "./config.ts";
import { registryAccess } from "./registry-access.ts";
import { registryConfig } from "./registry-config.ts";

const log = { warn: () => undefined };

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env, registryConfig);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

test("without a registry nothing is needed, and nothing of one may be set", () => {
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf({ SCHEMA_REGISTRY_TOKEN: "t" })).toEqual([
    "SCHEMA_REGISTRY_TOKEN is set, but SCHEMA_REGISTRY_URL is not",
  ]);
});

test("a user needs a password, a token goes without them, and a URL has no user", () => {
  const url = { SCHEMA_REGISTRY_URL: "https://registry" };

  expect(problemsOf({ ...url, SCHEMA_REGISTRY_USERNAME: "alice" })).toEqual([
    "SCHEMA_REGISTRY_USERNAME is set, but SCHEMA_REGISTRY_PASSWORD is not",
  ]);
  expect(
    problemsOf({
      ...url,
      SCHEMA_REGISTRY_USERNAME: "alice",
      SCHEMA_REGISTRY_PASSWORD: "secret",
      SCHEMA_REGISTRY_TOKEN: "t",
    }),
  ).toEqual([
    "SCHEMA_REGISTRY_TOKEN is set, and SCHEMA_REGISTRY_USERNAME, too: a request carries one of them",
  ]);
  expect(
    problemsOf({ SCHEMA_REGISTRY_URL: "https://alice:secret@registry" }),
  ).toEqual([
    "SCHEMA_REGISTRY_URL carries a user: use SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD",
  ]);
});

test("certificates need https, and a certificate its key", () => {
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

  expect(
    problemsOf({
      SCHEMA_REGISTRY_URL: "http://registry",
      SCHEMA_REGISTRY_TLS_CA: pem,
    }),
  ).toEqual([
    "SCHEMA_REGISTRY_TLS_CA is set, but SCHEMA_REGISTRY_URL is not an https URL",
  ]);
  expect(
    problemsOf({
      SCHEMA_REGISTRY_URL: "https://registry",
      SCHEMA_REGISTRY_TLS_CERT: pem,
    }),
  ).toEqual([
    "SCHEMA_REGISTRY_TLS_CERT is set, but SCHEMA_REGISTRY_TLS_KEY is not",
  ]);
});

test("a request carries a token as bearer, and a user with the password as basic", () => {
  const headerFor = (env: Record<string, string>): string | null | undefined =>
    registryAccess(
      readConfig(
        { SCHEMA_REGISTRY_URL: "http://registry", ...env },
        registryConfig,
      ),
      log,
    )?.authorization();

  expect(headerFor({})).toBe(null);
  expect(headerFor({ SCHEMA_REGISTRY_TOKEN: "t0ken" })).toBe("Bearer t0ken");
  expect(
    headerFor({
      SCHEMA_REGISTRY_USERNAME: "key",
      SCHEMA_REGISTRY_PASSWORD: "sécret:1",
    }),
  ).toBe(`Basic ${Buffer.from("key:sécret:1").toString("base64")}`);
});
