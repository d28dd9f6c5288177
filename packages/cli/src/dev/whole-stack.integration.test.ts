/** A whole stack with servers of its own, as `dev` starts it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { waitFor } from "@postrider/testkit";
import { newKeys } from "../dev-folder.ts";
import { ANY_PORTS } from "../processes/services.ts";
import { startWholeStack, type Undo } from "./whole-stack.ts";

const logDirectory = mkdtempSync(join(tmpdir(), "postrider-whole-"));
const undo: Undo = [];
afterAll(async () => {
  for (const step of undo.toReversed()) await step();
  rmSync(logDirectory, { recursive: true, force: true });
}, 60_000);

test("a tenant's key is answered with the tenant's rows, and with no other's", async () => {
  process.env["POSTRIDER_STACK"] = "local"; // the test run's own servers are in the environment
  const keys = newKeys();
  const { running } = await startWholeStack({
    prefix: "whole.",
    database: "whole",
    ...keys,
    ports: ANY_PORTS,
    logDirectory,
    undo,
    onProgress: () => {},
    onLateStop: () => {},
  });
  const call = async (what: string, key: string, body?: unknown) => {
    const [method = "", path = ""] = what.split(" ");
    const base = path === "/v1/events" ? running.ingestUrl : running.controlUrl;
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { status } = answer;
    return { status, body: (await answer.json()) as Record<string, unknown> };
  };
  const tokens = new Map<string, string>();
  for (const tenantId of ["acme", "globex"]) {
    const asked = { name: "tests", role: "reader", tenantId };
    const made = await call("POST /v1/keys", keys.adminKey, asked);
    expect(made.status).toBe(201);
    tokens.set(tenantId, String(made.body["token"]));
    const event = { id: `of-${tenantId}`, type: "order.paid", payload: 1 };
    const published = await call("POST /v1/events", keys.adminKey, {
      ...event,
      tenantId,
    });
    expect(published.status).toBe(202);
  }
  const explained = async (id: string, tenantId: string) =>
    (await call(`GET /v1/events/${id}/explain`, tokens.get(tenantId)!)).status;

  for (const tenantId of ["acme", "globex"])
    await waitFor(
      async () => (await explained(`of-${tenantId}`, tenantId)) === 200,
      { what: `the rows of ${tenantId}`, timeoutMs: 60_000 },
    );

  expect(await explained("of-globex", "acme")).toBe(404);
  expect(await explained("of-acme", "globex")).toBe(404);
}, 180_000);
