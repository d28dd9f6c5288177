import { expect, test } from "@jest/globals";
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
