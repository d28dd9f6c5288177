import { expect, test } from "@jest/globals";
import { commonConfig } from "./common-config.ts";
import { text, url } from "./config-parsers.ts";
import { readConfig, settingsOf, type ConfigSpec } from "./config.ts";

const doc = "What it is for.";
const spec = {
  prefix: commonConfig.topicPrefix,
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  adminKey: commonConfig.adminKey,
  password: {
    env: "PASSWORD",
    parse: text,
    default: null,
    secret: true,
    live: true,
    doc,
  },
  address: { env: "ADDRESS", parse: url, default: null, doc },
} as const satisfies ConfigSpec;

function shown(env: Record<string, string>) {
  const config = readConfig(env, spec, () => "planted-in-a-file");
  return settingsOf(config).map(({ variable, value, from }) => [
    variable,
    value,
    from,
  ]);
}

test("each setting says its value as it would be written, and where it came from; of a secret only that it is set", () => {
  expect(
    shown({
      POSTRIDER_SESSION_TIMEOUT: "30s",
      POSTRIDER_ADMIN_KEY: "planted-key",
      PASSWORD_FILE: "/run/password",
      ADDRESS: "https://registry:8081/base",
    }),
  ).toEqual([
    ["POSTRIDER_TOPIC_PREFIX", "postrider.", "default"],
    ["POSTRIDER_SESSION_TIMEOUT", "30s", "environment"],
    ["POSTRIDER_ADMIN_KEY", "[redacted]", "environment"],
    ["PASSWORD", "[redacted]", "file"],
    ["ADDRESS", "https://registry:8081/base", "environment"],
  ]);
});

test("a secret that is not set is shown as not set", () => {
  expect(shown({ POSTRIDER_ADMIN_KEY: "k" })).toContainEqual([
    "PASSWORD",
    null,
    "default",
  ]);
});

test.each([
  ["https://me:planted@idp/token", "https://[redacted]@idp/token"],
  ["https://planted@idp/token", "https://[redacted]@idp/token"],
  ["https://idp/token?secret=planted", "https://idp/token?[redacted]"],
])("a URL shows neither its user nor its query: %s", (given, value) => {
  expect(shown({ POSTRIDER_ADMIN_KEY: "k", ADDRESS: given })).toContainEqual([
    "ADDRESS",
    value,
    "environment",
  ]);
});

test("a copy has no settings to show", () => {
  const config = readConfig({ POSTRIDER_ADMIN_KEY: "k" }, spec);

  expect(() => settingsOf({ ...config })).toThrow("copy of a configuration");
});
