import { expect, test } from "@jest/globals";
import {
  clickhouseAccess,
  clickhouseConfig,
  clickhouseTenantAccess,
  clickhouseTenantConfig,
} from "./clickhouse-config.ts";
import { ConfigError, readConfig } from "./config.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig({ CLICKHOUSE_URL: "https://ch:8443", ...env }, clickhouseConfig);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

test("the URL alone is enough, and a user may have no password", () => {
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf({ CLICKHOUSE_USER: "alice" })).toEqual([]);
});

test("two users are refused, and what belongs together is required", () => {
  expect(
    problemsOf({
      CLICKHOUSE_URL: "https://bob:secret@ch:8443",
      CLICKHOUSE_USER: "alice",
    }),
  ).toEqual([
    "CLICKHOUSE_USER is set, and CLICKHOUSE_URL carries a user, too: take it out of CLICKHOUSE_URL",
  ]);
  expect(problemsOf({ CLICKHOUSE_PASSWORD: "secret" })).toEqual([
    "CLICKHOUSE_PASSWORD is set, but CLICKHOUSE_USER is not",
  ]);
  expect(
    problemsOf({ CLICKHOUSE_URL: "http://ch:8123", CLICKHOUSE_TLS_CA: PEM }),
  ).toEqual([
    "CLICKHOUSE_TLS_CA is set, but CLICKHOUSE_URL is not an https URL",
  ]);
});

test("an authority that cannot be used is found at the start, without showing what it was", () => {
  const [problem] = problemsOf({ CLICKHOUSE_TLS_CA: PEM });

  expect(problem).toMatch(
    /^CLICKHOUSE_TLS_CA cannot be used as an authority: /,
  );
});

test("the password is read again for each request, and what was read before is used while it cannot be read", () => {
  let password: string | null = "one";
  const warned: unknown[] = [];
  const config = readConfig(
    {
      CLICKHOUSE_URL: "https://ch",
      CLICKHOUSE_USER: "alice",
      CLICKHOUSE_PASSWORD_FILE: "/password",
    },
    clickhouseConfig,
    () => {
      if (password === null) throw new Error("no such file");
      return password;
    },
  );
  const { auth } = clickhouseAccess(config, {
    warn: (event, fields) => void warned.push(event, fields?.["variable"]),
  });

  const first = auth?.();
  password = "two";
  const second = auth?.();
  password = null;
  const third = auth?.();

  expect([first, second, third].map((one) => one?.password)).toEqual([
    "one",
    "two",
    "two",
  ]);
  expect(warned).toEqual([
    "clickhouse.secretNotReadAgain",
    "CLICKHOUSE_PASSWORD_FILE",
  ]);
});

const CONTROL = { ...clickhouseConfig, ...clickhouseTenantConfig };
const noLog = { warn: () => undefined };

test("the tenants' user signs in as itself alone, also where the URL carries control's", () => {
  const config = readConfig(
    {
      CLICKHOUSE_URL: "https://control:secret@ch:8443/",
      CLICKHOUSE_TENANT_USER: "tenants",
      CLICKHOUSE_TENANT_PASSWORD: "hidden",
    },
    CONTROL,
  );

  const access = clickhouseTenantAccess(config, noLog);

  expect(access?.url).toBe("https://ch:8443/");
  expect(access?.auth?.()).toEqual({ username: "tenants", password: "hidden" });
});

test("without a user for tenants there is no access, and a password alone is refused", () => {
  const config = readConfig({ CLICKHOUSE_URL: "https://ch" }, CONTROL);

  expect(clickhouseTenantAccess(config, noLog)).toBe(null);
  expect(() =>
    readConfig(
      { CLICKHOUSE_URL: "https://ch", CLICKHOUSE_TENANT_PASSWORD: "hidden" },
      CONTROL,
    ),
  ).toThrow(
    "CLICKHOUSE_TENANT_PASSWORD is set, but CLICKHOUSE_TENANT_USER is not",
  );
});
