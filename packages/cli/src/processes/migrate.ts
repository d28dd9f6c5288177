import { spawn } from "node:child_process";
import type { GrantHolder } from "@postrider/runtime";
import { CliError, EXIT } from "../cli-error.ts";
import { withoutOwned } from "../owned-settings.ts";
import { mainOf, tied } from "./service-process.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface ClickHouseAddress {
  readonly url: string;
  readonly database: string;
}

/** What the recorder finds of ClickHouse. */
export interface TableState {
  readonly version: string;
  readonly isOk: boolean;
  /** Why the tables are not as they should be, or that they are. */
  readonly detail: string;
  /** How far ClickHouse's clock is ahead of this machine's, ms. */
  readonly aheadMs: number;
  /** For each part the statements that grant what this user lacks; null where ClickHouse cannot tell. */
  readonly missing: Readonly<
    Record<Exclude<GrantHolder, "repair">, readonly string[] | null>
  >;
}

/** Runs the recorder's migrations in a child process; resolves to its output. Throws `CliError` with the output when they fail. */
export async function migrate(
  clickhouse: ClickHouseAddress,
  env: Env = process.env,
): Promise<string> {
  const what = `The migration of ${clickhouse.database}`;
  return await runRecorder(["migrate"], what, clickhouse, env);
}

/** The statements that the recorder's migrations would run now, for one server or for a cluster; empty where there are none. `isAll`: of every migration, without asking ClickHouse. Changes nothing. */
export async function printMigration(
  clickhouse: ClickHouseAddress,
  { isAll, env = process.env }: { readonly isAll: boolean; readonly env?: Env },
): Promise<string> {
  const what = `What to run on ${clickhouse.database}`;
  const mode = isAll ? "print-all" : "print";
  return await runRecorder([mode], what, clickhouse, env);
}

/** Asks what ClickHouse has, and changes nothing. Throws `CliError` when it cannot be asked. */
export async function checkTables(
  clickhouse: ClickHouseAddress,
): Promise<TableState> {
  const what = `The check of ${clickhouse.database}`;
  const line = await runRecorder(["check"], what, clickhouse, process.env);
  return JSON.parse(line) as TableState; // written by the recorder's runCheck
}

/** Runs a mode of the recorder's program, which may have an argument, and resolves to what it prints. Throws `CliError`. */
export async function runRecorder(
  mode: readonly string[],
  what: string,
  clickhouse: ClickHouseAddress,
  env: Env,
): Promise<string> {
  const [program, ...args] = tied([
    process.execPath,
    mainOf("recorder"),
    ...mode,
  ]);
  const child = spawn(program, args, {
    env: {
      ...env,
      // User and TLS of the environment are not for a ClickHouse that `dev` has started.
      ...(!isOfEnvironment(env) && withoutOwned("CLICKHOUSE_URL")),
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
  const lines = (err || out).trimEnd().split("\n").slice(-10);
  const next = lines.findLast((line) => line.startsWith(NEXT));
  throw new CliError(
    code === EXIT.unreachable ? EXIT.unreachable : EXIT.failed,
    `${what} failed (exit code ${code}).`,
    {
      why: lines.filter((line) => line !== next).join("\n"),
      next:
        next?.slice(NEXT.length) ?? "Is ClickHouse up? npx postrider status",
    },
  );
}

/** With this begins the line in which the recorder says what to do. */
const NEXT = "next: ";

function isOfEnvironment(env: Env): boolean {
  return Boolean(env["CLICKHOUSE_URL"] || env["CLICKHOUSE_URL_FILE"]);
}
