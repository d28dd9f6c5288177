import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The longest time for a run that hangs; the suite itself ends well before, also on a machine of a third of the speed. */
const LIMIT_MS = 2_400_000;

test(
  "the short fault suite passes: kills, freezes and lost answers lose nothing, fork nothing and repeat only what they explain",
  async () => {
    const script = fileURLToPath(new URL("../scripts/run.js", import.meta.url));
    const child = spawn(process.execPath, [script, "faults", "--short"], {
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    child.stdout.on("data", (chunk) => (out += String(chunk)));
    child.stderr.on("data", (chunk) => (out += String(chunk)));

    const code = await new Promise((resolve) => child.once("close", resolve));

    expect(out).toMatch(/\b0 failed\n$/);
    expect(code).toBe(0);
  },
  LIMIT_MS,
);
