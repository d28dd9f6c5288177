/** `postrider doctor` against a real Kafka and ClickHouse. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { newKeys } from "../dev-folder.ts";
import { migrate } from "../processes/migrate.ts";
import {
  makeCertificate,
  startGuardedProxy,
  useStack,
} from "@postrider/testkit";
import type { Finding } from "./finding.ts";

const bin = fileURLToPath(new URL("../../bin/postrider.js", import.meta.url));
const stack = useStack();
const cwd = mkdtempSync(join(tmpdir(), "postrider-doctor-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

interface Report {
  readonly exitCode: unknown;
  readonly findings: readonly Finding[];
}

async function doctor(env: Record<string, string> = {}): Promise<Report> {
  const all = {
    PATH: process.env["PATH"],
    KAFKA_BROKERS: stack.brokers.join(),
    CLICKHOUSE_URL: stack.clickhouseUrl,
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
    POSTRIDER_ENCRYPTION_KEYS: newKeys().encryptionKeys,
    ...env,
  };
  return await new Promise((resolve) => {
    const options = { env: all, cwd };
    execFile(bin, ["doctor", "--json"], options, (error, stdout) => {
      const { findings } = JSON.parse(stdout) as Report;
      resolve({ exitCode: error?.code ?? 0, findings });
    });
  });
}

function found({ findings }: Report, check: string): Finding | undefined {
  return findings.find((finding) => finding.check === check);
}

test("says what is missing and how to make it, and is content once it is there", async () => {
  const before = await doctor();

  expect(before.exitCode).toBe(1);
  expect(found(before, "topics")).toMatchObject({
    state: "failed",
    detail: expect.stringMatching(
      /^\d+ changes needed: create \S+events with .+; …$/,
    ),
    next: expect.stringContaining("npx postrider topics apply"),
  });
  expect(found(before, "tables")).toMatchObject({
    state: "failed",
    next: "npx postrider migrate",
  });

  await new Promise((resolve) =>
    execFile(
      bin,
      ["topics", "apply"],
      {
        env: {
          PATH: process.env["PATH"],
          KAFKA_BROKERS: stack.brokers.join(),
          POSTRIDER_TOPIC_PREFIX: stack.prefix,
        },
        cwd,
      },
      resolve,
    ),
  );
  await migrate({ url: stack.clickhouseUrl, database: stack.database });
  const after = await doctor();

  expect(after.findings.filter(({ state }) => state === "failed")).toEqual([]);
  expect(after.exitCode).toBe(0);
  expect(found(after, "clickhouse")?.detail).toMatch(/^version \d/);
  expect(found(after, "clock")?.detail).toMatch(/^Kafka's is /);
  expect(found(after, "rights")?.detail).toContain(
    "npx postrider doctor --as SERVICE",
  );
}, 120_000);

test("a broker that does not answer, or whose name nobody knows, a bad key ring and settings that do not fit are told, with the exit code of the worst", async () => {
  const away = await doctor({ KAFKA_BROKERS: "127.0.0.1:9" });
  const unread = await doctor({ KAFKA_SASL_MECHANISM: "plain" });
  const unnamed = await doctor({
    // A name that no server knows (RFC 2606).
    KAFKA_BROKERS: "kafka.invalid:9092",
    POSTRIDER_ENCRYPTION_KEYS: "k1:short",
  });

  expect(found(away, "broker 127.0.0.1:9")?.detail).toContain("ECONNREFUSED");
  expect(away.exitCode).toBe(3);
  expect(
    unread.findings
      .filter(({ check }) => check === "settings for Kafka")
      .map(({ detail }) => detail),
  ).toEqual([
    "KAFKA_SASL_USERNAME is not set, and KAFKA_SASL_MECHANISM is plain",
    "KAFKA_SASL_PASSWORD is not set, and KAFKA_SASL_MECHANISM is plain",
  ]);
  expect(unread.exitCode).toBe(2);
  expect(found(unnamed, "broker kafka.invalid:9092")).toMatchObject({
    state: "failed",
    // Where no name server answers it is EAI_AGAIN.
    detail: expect.stringMatching(
      /^its name cannot be resolved: .*(ENOTFOUND|EAI_AGAIN)/,
    ),
    next: "Correct KAFKA_BROKERS, or this machine's DNS.",
    exitCode: 3,
  });
  expect(found(unnamed, "encryption keys")).toMatchObject({
    state: "failed",
    detail: expect.stringContaining("POSTRIDER_ENCRYPTION_KEYS"),
    next: "Correct POSTRIDER_ENCRYPTION_KEYS or the file that it is in.",
  });
  expect(unnamed.exitCode).toBe(2);
}, 120_000);

test("a certificate of ClickHouse that ends soon is a warning, and a registry that wants a user is told as such", async () => {
  const DAY_MS = 86_400_000;
  const certificate = makeCertificate({
    hosts: ["127.0.0.1"],
    notAfter: Date.now() + 5.5 * DAY_MS,
  });
  const proxy = await startGuardedProxy({
    target: stack.clickhouseUrl,
    certificate,
  });
  const clickhouse = {
    CLICKHOUSE_URL: proxy.url,
    CLICKHOUSE_TLS_CA: certificate.cert,
  };
  // To the doctor, a server that answers 401 is any registry.
  const registry = {
    SCHEMA_REGISTRY_URL: proxy.url,
    SCHEMA_REGISTRY_TLS_CA: certificate.cert,
    SCHEMA_REGISTRY_TOKEN: "wrong",
  };

  const soon = await doctor(clickhouse);
  proxy.admit("Bearer right");
  const refused = await doctor(registry);
  await proxy.close();

  const at = proxy.url.replace("https://", "");
  expect(found(soon, `clickhouse ${at}`)).toMatchObject({
    state: "warning",
    detail: expect.stringContaining("ends in 5 days"),
  });
  expect(found(soon, "clickhouse")).toMatchObject({ state: "ok" });
  expect(found(refused, "schema registry")).toMatchObject({
    state: "failed",
    detail: expect.stringContaining("401"),
    next: expect.stringContaining("SCHEMA_REGISTRY_TOKEN"),
  });
});

test("a broker that speaks no TLS is told as such", async () => {
  const report = await doctor({ KAFKA_TLS: "true" });

  expect(found(report, `broker ${stack.brokers[0]}`)).toMatchObject({
    state: "failed",
    next: expect.stringContaining("does this port speak TLS?"),
  });
});
