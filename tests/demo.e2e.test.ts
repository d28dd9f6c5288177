import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const bin = fileURLToPath(
  new URL("../packages/cli/bin/postrider.js", import.meta.url),
);

test("every claim of the demo's tour holds", async () => {
  const child = spawn(process.execPath, [bin, "demo", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));

  const code = await new Promise((resolve) => child.once("close", resolve));

  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { ok: boolean; step?: string });
  expect(lines.filter((line) => !line.ok)).toEqual([]);
  expect(lines.at(-1)).toMatchObject({ ok: true, steps: 18 });
  expect(code).toBe(0);
}, 300_000);
