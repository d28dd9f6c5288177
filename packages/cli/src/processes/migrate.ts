import { spawn } from "node:child_process";
import { CliError, EXIT } from "../cli-error.ts";
import { mainOf, tied } from "./service-process.ts";

/** Runs the recorder's migrations in a child process; resolves to its output. Throws `CliError` with the output when they fail. */
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
    detached: true, // keeps Ctrl-C from the child: we handle it, and a child killed by it would look like a failed migration
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
