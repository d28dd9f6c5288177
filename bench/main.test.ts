import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

function bench(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
}

test.each([["--help"], ["-h"], ["drain", "--help"]])(
  "%s prints the benches and the options, and starts nothing",
  (...args) => {
    const ran = bench(...args);

    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/drain, pipeline, .*\n.*--short/);
    expect(ran.stderr).toBe("");
  },
);

test.each([[], ["nope"]])(
  "without a bench's name it fails with the usage",
  (...args) => {
    const ran = bench(...args);

    expect(ran.status).toBe(2);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toContain("drain, pipeline");
  },
);
