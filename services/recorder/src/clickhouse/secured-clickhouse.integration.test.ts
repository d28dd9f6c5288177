/** The recorder's way to a ClickHouse with TLS and a password: a proxy that asks for both stands before the real one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "@jest/globals";
import { clickhouseAccess, readConfig } from "@postrider/runtime";
import {
  makeCertificate,
  recordingLog,
  startGuardedProxy,
  useStack,
  waitFor,
  type GuardedProxy,
} from "@postrider/testkit";
import { migrateSpec } from "../config.ts";
import { runCheck, runMigrate } from "../migrate/migrate-mode.ts";
import { createWriter } from "./writer.ts";

const stack = useStack();
const folder = mkdtempSync(join(tmpdir(), "postrider-clickhouse-"));
const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
let proxy: GuardedProxy;
beforeEach(async () => {
  proxy = await startGuardedProxy({
    target: stack.clickhouseUrl,
    certificate,
  });
  proxy.admit(basic("right"));
});
afterEach(async () => await proxy.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const basic = (password: string): string =>
  `Basic ${Buffer.from(`recorder:${password}`).toString("base64")}`;

/** A file in the test's folder, and what is in it. */
function fileOf(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function envOf(given: { password: string; ca?: string }) {
  const { password, ca = certificate.cert } = given;
  return {
    CLICKHOUSE_URL: proxy.url,
    CLICKHOUSE_USER: "recorder",
    CLICKHOUSE_PASSWORD_FILE: fileOf("password", password),
    CLICKHOUSE_TLS_CA_FILE: fileOf("ca.crt", ca),
    POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
  };
}

test("a password and an authority that change in their files are used for the next request", async () => {
  const log = recordingLog();
  const config = readConfig(envOf({ password: "wrong" }), migrateSpec);
  const writer = createWriter({
    ...clickhouseAccess(config, log),
    database: "default",
  });
  const ask = () => writer.query<{ n: number }>("SELECT toUInt8(1) AS n");

  await expect(ask()).rejects.toMatchObject({ code: "516" });
  fileOf("password", "right\n");
  expect(await ask()).toEqual([{ n: 1 }]);

  const renewed = makeCertificate({ hosts: ["127.0.0.1"] });
  proxy.present(renewed);
  // A connection that was just closed fails differently.
  await waitFor(() =>
    ask().then(
      () => false,
      (error: Error) => error.message.includes("self-signed certificate"),
    ),
  );
  fileOf("ca.crt", renewed.cert);
  expect(await ask()).toEqual([{ n: 1 }]);

  fileOf("ca.crt", renewed.cert.slice(0, 300));
  proxy.present(renewed);
  await waitFor(() => ask().catch(() => false));
  expect(log.of("clickhouse.secretNotReadAgain")).not.toEqual([]);
  await writer.close();
});

/** Runs a mode of the recorder. Returns its exit code and the lines that it printed. */
async function lines(
  mode: typeof runMigrate,
  env: Record<string, string>,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const said: string[] = [];
  const push = (line: string): void => void said.push(line);
  return { code: await mode({ out: push, err: push }, env), lines: said };
}

test("a wrong password and an unknown authority are told apart, with what to do", async () => {
  const other = makeCertificate({ hosts: ["127.0.0.1"] });

  const unknown = await lines(runMigrate, envOf({ password: "wrong" }));
  const untrusted = await lines(
    runMigrate,
    envOf({ password: "right", ca: other.cert }),
  );

  expect(unknown.code).toBe(1);
  expect(unknown.lines.at(-1)).toMatch(/^next: Check CLICKHOUSE_USER/);
  expect(untrusted.code).toBe(3);
  expect(untrusted.lines.at(-1)).toMatch(/^next: Is CLICKHOUSE_TLS_CA /);
});

test("tables are made and looked at over TLS, and a user who may do everything lacks no grant", async () => {
  const env = envOf({ password: "right" });

  const migrated = await lines(runMigrate, env);
  const checked = await lines(runCheck, env);

  expect(migrated.code).toBe(0);
  expect(JSON.parse(checked.lines[0] ?? "")).toMatchObject({
    isOk: true,
    missing: { migrate: [], recorder: [], control: [] },
  });
});
