import { expect, test } from "@jest/globals";
import { unusedSettings, withoutOwned } from "./owned-settings.ts";

test("what belongs to an address that is not set is named", () => {
  const env = {
    KAFKA_TLS: "true",
    KAFKA_SASL_PASSWORD_FILE: "/run/password",
    CLICKHOUSE_USER: "alice",
  };

  expect(unusedSettings("KAFKA_BROKERS", env)).toBe(
    "KAFKA_BROKERS is not set, so these are not used: KAFKA_TLS, KAFKA_SASL_PASSWORD_FILE.",
  );
  expect(unusedSettings("CLICKHOUSE_URL", env)).toContain("CLICKHOUSE_USER");
  expect(unusedSettings("SCHEMA_REGISTRY_URL", env)).toBe(null);
});

test("a default and an empty variable are not told, nor anything where the address is set", () => {
  expect(
    unusedSettings("KAFKA_BROKERS", { KAFKA_TLS: "false", KAFKA_TLS_CA: "" }),
  ).toBe(null);
  expect(
    unusedSettings("KAFKA_BROKERS", {
      KAFKA_BROKERS: "a:1",
      KAFKA_TLS: "true",
    }),
  ).toBe(null);
  expect(
    unusedSettings("CLICKHOUSE_URL", {
      CLICKHOUSE_URL_FILE: "/run/url",
      CLICKHOUSE_USER: "alice",
    }),
  ).toBe(null);
});

test("to go without what belongs to an address empties variables and files", () => {
  expect(withoutOwned("CLICKHOUSE_URL")).toEqual({
    CLICKHOUSE_USER: "",
    CLICKHOUSE_USER_FILE: "",
    CLICKHOUSE_PASSWORD: "",
    CLICKHOUSE_PASSWORD_FILE: "",
    CLICKHOUSE_TLS_CA: "",
    CLICKHOUSE_TLS_CA_FILE: "",
    CLICKHOUSE_TENANT_USER: "",
    CLICKHOUSE_TENANT_USER_FILE: "",
    CLICKHOUSE_TENANT_PASSWORD: "",
    CLICKHOUSE_TENANT_PASSWORD_FILE: "",
  });
});
