import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ConfigError } from "@postrider/runtime";
import { readIngestConfig } from "./config.ts";

const needed = {
  KAFKA_BROKERS: "localhost:9092",
  POSTRIDER_ADMIN_KEY: "key",
  POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString("base64")}`,
};

test("a variable that is not set has its default", () => {
  expect(readIngestConfig(needed)).toMatchObject({
    topicPrefix: "postrider.",
    roles: ["door", "route"],
    inlineDestinations: { kind: "allow" },
    allowHttp: false,
    allowCidrs: null,
    denyCidrs: null,
    maxPayloadBytes: 262_144,
    maxFanOut: 10_000,
    recordPayloads: "all",
    duplicateWindowRecords: 10_000,
    duplicateWindowBytes: 16_777_216,
    doorTimeoutMs: 10_000,
    port: 7401,
    adminPort: 9400,
  });
});

test("roles, CIDRs and inline destinations are read", () => {
  const config = readIngestConfig({
    ...needed,
    POSTRIDER_INGEST_ROLES: "route",
    POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8,::1/128",
    POSTRIDER_DENY_CIDRS: "127.0.0.1, fd00::/8",
    POSTRIDER_INLINE_DESTINATIONS: "Example.com, [::1]",
  });

  expect(config.roles).toEqual(["route"]);
  expect(config.allowCidrs?.map(({ bits }) => bits)).toEqual([8, 128]);
  expect(config.denyCidrs?.map(({ bits }) => bits)).toEqual([32, 8]);
  expect(config.inlineDestinations).toEqual({
    kind: "hosts",
    hosts: ["example.com", "[::1]"],
  });
});

test("every problem is reported at once", () => {
  const read = () =>
    readIngestConfig({
      ...needed,
      POSTRIDER_INGEST_ROLES: "door,window",
      POSTRIDER_ALLOW_CIDRS: "10.0.0.0/99",
      POSTRIDER_DENY_CIDRS: "internal",
      POSTRIDER_INLINE_DESTINATIONS: "https://example.com/",
      POSTRIDER_MAX_PAYLOAD_BYTES: "0",
    });

  expect(read).toThrow(ConfigError);
  expect(read).toThrow(
    expect.objectContaining({
      problems: [
        "POSTRIDER_ALLOW_CIDRS",
        "POSTRIDER_DENY_CIDRS",
        "POSTRIDER_INGEST_ROLES",
        "POSTRIDER_INLINE_DESTINATIONS",
        "POSTRIDER_MAX_PAYLOAD_BYTES",
      ].map((variable) => expect.objectContaining({ variable })),
    }),
  );
});

describe("sources", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "postrider-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function configWith(
    text: string,
    env: Record<string, string> = {},
  ): ReturnType<typeof readIngestConfig> {
    const file = join(folder, "sources.yaml");
    writeFileSync(file, text);
    return readIngestConfig({
      ...needed,
      POSTRIDER_SOURCES_FILE: file,
      ...env,
    });
  }

  const messagesOf = (read: () => unknown): string[] => {
    try {
      read();
    } catch (error) {
      if (error instanceof ConfigError)
        return error.problems.map(({ message }) => message);
      throw error;
    }
    return [];
  };

  test("are read of a YAML or a JSON file", () => {
    const source = {
      topic: "shop.orders",
      format: "json",
      tenantId: { literal: "acme" },
      type: { header: "type" },
    };
    const yaml =
      "sources:\n  - {topic: shop.orders, format: json, tenantId: {literal: acme}, type: {header: type}}\n";

    const inJson = configWith(JSON.stringify({ sources: [source] })).sources;

    expect(inJson).toMatchObject([{ topic: "shop.orders", format: "json" }]);
    expect(configWith(yaml).sources).toEqual(inJson);
    expect(readIngestConfig(needed).sources).toBeNull();
  });

  test("every problem is reported at once, beside those of other variables", () => {
    const text = `
sources:
  - {topic: shop.orders, format: json, tenantId: acme, type: {path: kind}}
  - {topic: other, tenantId: {literal: acme}, type: {literal: a}}
`;

    expect(messagesOf(() => configWith(text, { POSTRIDER_PORT: "x" }))).toEqual(
      [
        'POSTRIDER_SOURCES_FILE source shop.orders: tenantId must be {literal: TEXT}, {header: NAME} or {path: PATH}, with a text (a number in quotes); got "acme"',
        expect.stringMatching(
          /^POSTRIDER_SOURCES_FILE source shop.orders: type must be a path, .*; got \{"path":"kind"\}$/,
        ),
        "POSTRIDER_SOURCES_FILE source other: format must be json or avro",
        expect.stringMatching(/^POSTRIDER_PORT must be/),
      ],
    );
  });

  test.each([
    ["sources: [", /^POSTRIDER_SOURCES_FILE is not YAML: .* at line 1/],
    [
      "a: 1\na: 2",
      /^POSTRIDER_SOURCES_FILE is not YAML: Map keys must be unique/,
    ],
    [
      "sources: [{topic: a, format: avro, tenantId: {literal: t}, type: {literal: t}}]",
      /^POSTRIDER_SOURCES_FILE has sources in Avro \(a\), but SCHEMA_REGISTRY_URL is not set/,
    ],
    [
      "sources: [{topic: postrider.deliveries, format: json, tenantId: {literal: t}, type: {literal: t}}]",
      /^POSTRIDER_SOURCES_FILE has topics that are Postrider's own \(postrider.deliveries\)/,
    ],
    [
      "sources: [{topic: postrider.retry.1h, format: json, tenantId: {literal: t}, type: {literal: t}}]",
      /^POSTRIDER_SOURCES_FILE has topics that are Postrider's own \(postrider.retry.1h\)/,
    ],
  ])("%j is refused", (text, message) => {
    expect(messagesOf(() => configWith(text))).toEqual([
      expect.stringMatching(message),
    ]);
  });

  test("a file that cannot be read is named", () => {
    const read = () =>
      readIngestConfig({ ...needed, POSTRIDER_SOURCES_FILE: "/no/such/file" });

    expect(messagesOf(read)).toEqual([
      expect.stringMatching(
        /^POSTRIDER_SOURCES_FILE names \/no\/such\/file, which cannot be read: there is no such file/,
      ),
    ]);
  });
});
