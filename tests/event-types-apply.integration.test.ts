/** `postrider event-types apply` against a real control: what it writes, what it leaves, and what it deletes. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { useStack } from "@postrider/testkit";
import {
  ADMIN_KEY,
  CONTROL_TOPICS,
  useControl,
} from "../services/control/fixtures/running-control.ts";

const stack = useStack();
const control = useControl(stack);
const bin = fileURLToPath(
  new URL("../packages/cli/bin/postrider.js", import.meta.url),
);
const folder = mkdtempSync(join(tmpdir(), "postrider-types-"));
const file = join(folder, "types.yaml");
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await stack.createTopics(...CONTROL_TOPICS);
});

test("a file is applied once, changes only what differs, and prunes what its tenant no longer has", async () => {
  const { ask, url } = await control.startOwner();
  await ask("POST /v1/event-types", { name: "common.type" });
  const apply = async (content: string, ...args: readonly string[]) => {
    writeFileSync(file, content);
    const child = spawn(
      process.execPath,
      [bin, "event-types", "apply", "-f", file, "--json", ...args],
      {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          POSTRIDER_CONTROL_URL: url,
          POSTRIDER_ADMIN_KEY: ADMIN_KEY,
        },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const { outcomes } = JSON.parse(await text(child.stdout)) as {
      outcomes: Record<string, unknown>[];
    };
    return outcomes.map(
      ({ action, name, version, outcome }) =>
        `${String(outcome)} ${String(action)} ${String(name)} ${String(version)}`,
    );
  };
  const both = `
tenantId: acme
eventTypes:
  - name: order.paid
    description: paid in full
    schema:
      type: object
      required: [orderId]
    example: { orderId: 1001 }
  - name: order.seen
`;

  expect(await apply(both, "--dry-run")).toEqual([
    "planned create order.paid null",
    "planned create order.seen null",
  ]);
  expect(await apply(both)).toEqual([
    "done create order.paid 1",
    "done create order.seen 1",
  ]);
  expect(await apply(both)).toEqual([
    "planned unchanged order.paid 1",
    "planned unchanged order.seen 1",
  ]);
  const one = both
    .replace("paid in full", "paid")
    .split("  - name: order.seen")[0]!;
  expect(await apply(one, "--prune", "--yes")).toEqual([
    "done change order.paid 2",
    "done delete order.seen null",
  ]);

  const { body } = await ask<{ eventTypes: unknown[] }>("GET /v1/event-types");
  expect(body.eventTypes).toMatchObject([
    { name: "common.type", tenantId: null, version: 1 },
    {
      name: "order.paid",
      tenantId: "acme",
      description: "paid",
      example: { orderId: 1001 },
      version: 2,
    },
  ]);
}, 120_000);
