import { inspect } from "node:util";
import { expect, test } from "@jest/globals";
import { commonConfig, processConfig } from "./common-config.ts";
import {
  boolean,
  brokers,
  duration,
  hostAndPort,
  integer,
  list,
  oneOf,
  port,
  serverName,
  text,
  url,
} from "./config-parsers.ts";
import { kafkaConfig } from "./kafka-config.ts";
import { registryConfig } from "./registry-config.ts";
import { renderConfigReference } from "./config-reference.ts";
import { ConfigError, ConfigFileError, readConfig } from "./config.ts";

const spec = {
  ...processConfig(9401),
  brokers: kafkaConfig.kafkaBrokers,
  sessionTimeoutMs: commonConfig.sessionTimeoutMs,
  registry: registryConfig.schemaRegistryUrl,
  adminKey: commonConfig.adminKey,
};
const enough = { KAFKA_BROKERS: "a:1, b:2", POSTRIDER_ADMIN_KEY: "k3y" };

test("defaults fill what the environment leaves out, and the values are typed", () => {
  const config = readConfig(enough, spec);

  const timeoutMs: number = config.sessionTimeoutMs;
  const registry: string | null = config.registry;
  const level: "debug" | "info" | "warn" | "error" | "silent" = config.logLevel;
  expect({ ...config, timeoutMs, registry, level }).toEqual({
    adminHost: "127.0.0.1",
    adminKey: "k3y",
    adminPort: 9401,
    brokers: ["a:1", "b:2"],
    level: "info",
    logLevel: "info",
    registry: null,
    sessionTimeoutMs: 10_000,
    timeoutMs: 10_000,
  });
});

test("the config object cannot be changed", () => {
  expect(Object.isFrozen(readConfig(enough, spec))).toBe(true);
});

test("every problem is reported at once, with the variable, what it got and what was expected", () => {
  const error = problemsOf(() =>
    readConfig(
      { POSTRIDER_ADMIN_PORT: "70000", POSTRIDER_SESSION_TIMEOUT: "30" },
      spec,
    ),
  );

  expect(error.message.split("\n").toSorted()).toEqual([
    "KAFKA_BROKERS is not set: expected host:port, more after commas",
    "POSTRIDER_ADMIN_KEY is not set: expected a text",
    'POSTRIDER_ADMIN_PORT must be a whole number from 0 to 65535; got "70000"',
    'POSTRIDER_SESSION_TIMEOUT must be a duration such as 250ms, 30s, 5m, 2h or 7d; got "30"',
  ]);
});

test("an empty variable counts as not set", () => {
  const config = readConfig({ ...enough, POSTRIDER_SESSION_TIMEOUT: "" }, spec);

  expect(config.sessionTimeoutMs).toBe(10_000);
});

test("a secret prints as [redacted] in JSON and on the console", () => {
  const config = readConfig(enough, spec);

  expect(JSON.stringify(config)).not.toContain("k3y");
  expect(inspect({ config })).not.toContain("k3y");
  expect(JSON.parse(JSON.stringify(config))).toMatchObject({
    adminKey: "[redacted]",
    brokers: ["a:1", "b:2"],
  });
});

test("a secret that cannot be read is not in the problem's text", () => {
  const error = problemsOf(() =>
    readConfig(
      { POSTRIDER_ENCRYPTION_KEYS: "k1:c2hvcnQ=" },
      { keys: commonConfig.encryptionKeys },
    ),
  );

  expect(error.message).toContain("has 5 bytes, not 32");
  expect(error.message).not.toContain("c2hvcnQ");
});

test("a secret may come from a file", () => {
  const config = readConfig(
    { POSTRIDER_ADMIN_KEY_FILE: "/run/key" },
    { adminKey: commonConfig.adminKey },
    (path) => `from ${path}\n`,
  );

  expect(config.adminKey).toBe("from /run/key");
});

test("a secret's file that is missing is a problem that names it", () => {
  const error = problemsOf(() =>
    readConfig(
      { POSTRIDER_ADMIN_KEY_FILE: "/no/such/file" },
      { adminKey: commonConfig.adminKey },
    ),
  );

  expect(error.message).toMatch(/POSTRIDER_ADMIN_KEY_FILE.*\/no\/such\/file/);
});

test("a variable may name a file whose text is parsed, and all that is wrong in it is told", () => {
  const lines = (content: string): readonly string[] => {
    const all = content.split("\n");
    const wrong = all.filter((line) => line.startsWith("!"));
    if (wrong.length === 0) return all;
    throw new ConfigFileError(
      wrong.map((got) => ({ got, text: `has a wrong line: ${got}` })),
    );
  };
  const entry = {
    env: "LINES_FILE",
    parse: lines,
    file: true,
    doc: "",
  } as const;
  const read = (content: string) =>
    readConfig({ LINES_FILE: "/lines" }, { entry }, (path) => {
      expect(path).toBe("/lines");
      return content;
    });

  expect(read("a\nb\n").entry).toEqual(["a", "b"]);
  expect(problemsOf(() => read("!a\nb\n!c")).problems).toEqual(
    ["!a", "!c"].map((got) => ({
      variable: "LINES_FILE",
      got,
      message: `LINES_FILE has a wrong line: ${got}`,
    })),
  );
  expect(
    problemsOf(() => readConfig({ LINES_FILE: "/no/such/file" }, { entry }))
      .message,
  ).toMatch(/^LINES_FILE names \/no\/such\/file, which cannot be read/);
});

test.each([
  ["text", text, " a ", "a"],
  ["oneOf", oneOf(["a", "b"]), "b", "b"],
  ["integer", integer(-1, 5), "-1", -1],
  ["port", port, "0", 0],
  ["boolean", boolean, "TRUE", true],
  ["boolean", boolean, "0", false],
  ["duration", duration, "250ms", 250],
  ["duration", duration, "1.5h", 5_400_000],
  ["duration", duration, "7d", 604_800_000],
  ["list", list, "a,,b ,", ["a", "b"]],
  ["brokers", brokers, "a.b:9092, 10.0.0.1:1", ["a.b:9092", "10.0.0.1:1"]],
  ["url", url, "http://u:p@h:8123/", "http://u:p@h:8123"],
])("%s reads its range", (_name, parse, given, value) => {
  expect(parse(given)).toEqual(value);
});

test.each([
  ["text", text, "  "],
  ["oneOf", oneOf(["a", "b"]), "c"],
  ["integer", integer(0, 5), "6"],
  ["integer", integer(0, 5), "1e0"],
  ["integer", integer(0, 5), ""],
  ["port", port, "65536"],
  ["boolean", boolean, "yes"],
  ["boolean", boolean, "constructor"],
  ["duration", duration, "5"],
  ["duration", duration, "-5s"],
  ["list", list, " , "],
  ["brokers", brokers, "banana"],
  ["brokers", brokers, "a:1,b"],
  ["brokers", brokers, "http://a:1"],
  ["url", url, "ftp://h"],
  ["url", url, "localhost:8123"],
])("%s refuses what lies outside", (_name, parse, given) => {
  expect(() => parse(given)).toThrow(`must be ${parse.expects}`);
});

test("the reference page names each variable with its default and range", () => {
  const page = renderConfigReference({ dispatcher: spec });

  expect(page).toContain("## dispatcher");
  expect(page).toContain(
    "| `POSTRIDER_ADMIN_PORT` | `9401` | a whole number from 0 to 65535 |",
  );
  expect(page).toMatch(/`POSTRIDER_ADMIN_KEY` \| required .* Secret\. \|/);
});

test("what every service has is listed once on the reference page", () => {
  const { adminKey } = spec;
  const page = renderConfigReference({ one: spec, two: { adminKey } });

  expect(page.match(/POSTRIDER_ADMIN_KEY/g)).toHaveLength(1);
  expect(page).toMatch(/## Every service\n[^#]*POSTRIDER_ADMIN_KEY/);
});

function problemsOf(read: () => unknown): ConfigError {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("a broker's IPv6 address is refused, because it could never be reached, with what to do instead", () => {
  const error = problemsOf(() =>
    readConfig(
      { KAFKA_BROKERS: "kafka-1:9092, [::1]:9092" },
      { kafkaBrokers: kafkaConfig.kafkaBrokers },
    ),
  );

  expect(error.message).toBe(
    'KAFKA_BROKERS names [::1]:9092 by its IPv6 address, which the Kafka client cannot use: give the broker a DNS name, and name that here; got "kafka-1:9092, [::1]:9092"',
  );
});

test("a server is taken apart, an IPv6 address without its brackets, and only a name is told to TLS", () => {
  expect(hostAndPort("kafka-1:9092")).toEqual({ host: "kafka-1", port: 9092 });
  expect(hostAndPort("[::1]:9093")).toEqual({ host: "::1", port: 9093 });
  expect(serverName("kafka-1")).toEqual({ servername: "kafka-1" });
  expect(serverName("::1")).toEqual({});
});

test("a file that is not there is told with its variable, its path and what to do", () => {
  const error = problemsOf(() =>
    readConfig(
      { POSTRIDER_ADMIN_KEY_FILE: "/no/such/file" },
      {
        adminKey: commonConfig.adminKey,
      },
    ),
  );

  expect(error.message).toBe(
    "POSTRIDER_ADMIN_KEY_FILE names /no/such/file, which cannot be read: there is no such file. Correct the path, or put the file there",
  );
});
