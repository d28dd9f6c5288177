/** Runs all static checks of the repository. Each check prints one line; the output of a failed one is printed in full, and the other checks still run. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => `${root}node_modules/.bin/${name}`;
const script = (name: string, ...args: string[]): string[] => [
  process.execPath,
  `${root}scripts/${name}.ts`,
  ...args,
];

const checks: readonly Check[] = [
  { name: "types", command: [bin("tsc"), "-b"] },
  {
    name: "lint and import rules",
    command: [bin("oxlint"), "--type-aware", "--deny-warnings"],
  },
  {
    name: "format",
    command: [bin("prettier"), "--check", "--log-level=warn", "."],
  },
  {
    name: "types of the schemas",
    command: script("generate-types", "--check"),
  },
  ...(existsSync(`${root}scripts/check-schemas.ts`)
    ? [{ name: "schema evolution", command: script("check-schemas") }]
    : []),
  {
    name: "configuration reference",
    command: script("generate-config-reference", "--check"),
  },
  {
    name: "metrics reference",
    command: script("generate-metrics-reference", "--check"),
  },
  {
    name: "rights reference",
    command: script("generate-rights-reference", "--check"),
  },
  {
    name: "OpenAPI documents",
    command: script("generate-openapi", "--check"),
  },
  {
    name: "AsyncAPI document",
    command: script("generate-asyncapi", "--check"),
  },
  { name: "SQL cookbook", command: script("generate-cookbook", "--check") },
  {
    name: "dashboards",
    command: script("generate-dashboards", "--check"),
  },
  { name: "Helm chart", command: script("generate-chart", "--check") },
  { name: "lockfile", command: script("complete-lockfile", "--check") },
];

let failed = 0;
for (const { name, command } of checks) {
  const startedAt = performance.now();
  const [file = "", ...args] = command;
  const result = spawnSync(file, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const isOk = result.status === 0;
  if (!isOk) failed += 1;
  console.log(`${isOk ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!isOk)
    console.log(
      `${result.stdout}${result.stderr}${result.error?.message ?? ""}`.trim(),
    );
}
if (failed > 0) {
  console.log(`${failed} of ${checks.length} checks failed`);
  process.exitCode = 1;
}
