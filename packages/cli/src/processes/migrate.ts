import { spawn } from "node:child_process";
import { CliError, EXIT } from "../cli-error.ts";
import { mainOf, tied } from "./service-process.ts";

/** Runs the recorder's migrations in a process of their own; resolves to what it said. Throws `CliError` with it when they fail. */
export async function migrate(
  clickhouse: { readonly url: string; readonly database: string },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const [program, ...args] = tied([
    process.execPath,
    mainOf("recorder"),
    "migrate",
  ]);
  const child = spawn(program, args, {
    env: {
      ...env,
      CLICKHOUSE_URL: clickhouse.url,
      POSTRIDER_CLICKHOUSE_DATABASE: clickhouse.database,
    },
    detached: true, // Ctrl-C is ours to answer: the migration's own death would look like a failure
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return out;
  if (code === EXIT.usage)
    throw new CliError(EXIT.usage, err.trim(), {
      next: "Correct it; docs/configuration.md lists the variables.",
    });
  throw new CliError(
    code === EXIT.unreachable ? EXIT.unreachable : EXIT.failed,
    `The migration of ${clickhouse.database} failed (exit code ${code}).`,
    {
      why: (err || out).trimEnd().split("\n").slice(-10).join("\n"),
      next: "Is ClickHouse up? npx postrider status",
    },
  );
}
