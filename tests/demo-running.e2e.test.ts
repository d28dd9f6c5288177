/** The demo's tour on services that run already, as `docker compose run --rm postrider demo` takes it. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  migrate,
  newKeys,
  startServices,
  type RunningServices,
} from "@postrider/cli";
import { parseTiers } from "@postrider/core";
import { startReceiver, useStack, waitFor } from "@postrider/testkit";

const TIERS = "1s,2s,4s,8s,16s,32s,1h";
const bin = fileURLToPath(
  new URL("../packages/cli/bin/postrider.js", import.meta.url),
);

const stack = useStack();
const { clickhouseUrl, database } = stack;
const keys = newKeys();
const logDirectory = mkdtempSync(join(tmpdir(), "postrider-demo-running-"));
let running: RunningServices | undefined;

beforeAll(async () => {
  await stack.createAllTopics(...parseTiers(TIERS).map(({ topic }) => topic));
  await migrate({ url: clickhouseUrl, database });
  running = await startServices({
    ...stack.forServices,
    ...keys,
    logDirectory,
    readyTimeoutMs: 120_000,
    env: {
      POSTRIDER_TIERS: TIERS,
      POSTRIDER_ALLOW_HTTP: "true",
      // The tour's receivers listen on this machine's outer address, whichever that is.
      POSTRIDER_ALLOW_CIDRS: "0.0.0.0/0",
    },
  });
}, 200_000);
afterAll(async () => {
  await running?.stop();
  rmSync(logDirectory, { recursive: true, force: true });
});

test("the tour holds beside other people's endpoints, and takes its own away", async () => {
  const others = await startReceiver();
  const theirs = {
    tenantId: "somebody",
    url: `${others.url}/hooks`,
    eventTypes: ["order.paid"],
  };
  // Control is ready a moment before it owns the endpoints.
  await waitFor(() => endpoints("POST", theirs), { what: "their endpoint" });

  const lines = await demo();
  await others.close();

  expect(lines.filter((line) => !line.ok)).toEqual([]);
  expect(lines.at(-1)).toMatchObject({ ok: true, steps: 18 });
  expect(others.requests).toEqual([]);
  expect(await endpoints("GET")).toMatchObject({
    endpoints: [{ tenantId: "somebody" }],
  });
}, 300_000);

async function demo(): Promise<{ ok: boolean }[]> {
  const adminUrl = (name: string): string | undefined =>
    running?.services.find((service) => service.name === name)?.adminUrl;
  const child = spawn(process.execPath, [bin, "demo", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      ...running?.environment,
      POSTRIDER_CONTROL_URL: running?.controlUrl,
      POSTRIDER_INGEST_URL: running?.ingestUrl,
      POSTRIDER_INGEST_ADMIN_URL: adminUrl("ingest"),
      POSTRIDER_DISPATCHER_ADMIN_URL: adminUrl("dispatcher"),
    },
  });
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  await new Promise((resolve) => child.once("close", resolve));
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { ok: boolean });
}

async function endpoints(method: "GET" | "POST", body?: object) {
  const response = await fetch(`${running?.controlUrl}/v1/endpoints`, {
    method,
    headers: {
      authorization: `Bearer ${keys.adminKey}`,
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text) as object;
}
