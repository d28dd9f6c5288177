/** `npm run bench -- NAME [--short] [--json]`. Data on stdout, talk on stderr. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { drain } from "./benches/drain.ts";
import { stopAll } from "./harness/processes.ts";

const BENCHES = { drain } as const;
const [name = "", ...flags] = process.argv.slice(2);
const bench = Object.entries(BENCHES).find(([each]) => each === name)?.[1];

if (bench === undefined) {
  process.stderr.write(`benches: ${Object.keys(BENCHES).join(", ")}\n`);
  process.exitCode = 2;
} else {
  try {
    const isShort = flags.includes("--short");
    const result = await bench(isShort, (text) =>
      process.stderr.write(`${text}\n`),
    );
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8" }).trim();
    const line = JSON.stringify({
      ...result,
      commit: git("rev-parse", "--short", "HEAD"),
      machine: `${cpus().length} × ${cpus()[0]?.model}`,
      node: process.version,
      short: isShort,
      at: new Date().toISOString(),
    });
    const folder = fileURLToPath(new URL("results/", import.meta.url));
    mkdirSync(folder, { recursive: true });
    appendFileSync(`${folder}${name}.jsonl`, `${line}\n`);
    process.stdout.write(`${line}\n`);
  } finally {
    await stopAll();
  }
}
