/** `main.ts migrate`: applies the migrations once and prints a line for each. `main.ts print` and `print-all`: print what would be run. `main.ts check`: prints what the database has, and changes nothing. */
import {
  clickhouseAccess,
  ConfigError,
  createLog,
  missingGrants,
} from "@postrider/runtime";
import type { Env, GrantHolder } from "@postrider/runtime";
import { readMigrateConfig, readTargetConfig } from "../config.ts";
import type { DdlTarget } from "./ddl.ts";
import { MigrationRefusedError, migrate, wouldApply } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";
import { printed } from "./print.ts";
import { stateOf } from "./table-watch.ts";
import { createWriter, type Writer } from "../clickhouse/writer.ts";

interface Say {
  out(line: string): void;
  err(line: string): void;
}

/** Resolves to the exit code: 0 up to date · 1 failed · 2 configuration · 3 ClickHouse cannot be reached · 5 the database's history differs from the migration files, or its tables are not replicated and should be. */
export async function runMigrate(say: Say, env?: Env): Promise<number> {
  return await withSql(say, env, async (sql, { database, cluster }) => {
    const migrations = readMigrations();
    const applied = await migrate({
      sql,
      database,
      cluster,
      migrations,
      onApplied: (name) => say.out(`applied ${name}`),
    });
    say.out(
      `${database} is up to date: ${migrations.length} migrations, ${applied.length} applied now`,
    );
  });
}

/** Prints the statements that `runMigrate` would run now, or nothing; changes nothing. Exit codes as `runMigrate`. */
export async function runPrint(say: Say, env?: Env): Promise<number> {
  return await withSql(say, env, async (sql, { database, cluster }) => {
    const migrations = await wouldApply({
      sql,
      database,
      cluster,
      migrations: readMigrations(),
    });
    const text = printed(migrations, { database, cluster });
    if (text !== "") say.out(text);
  });
}

/** Prints the statements of every migration, as for a new database, and asks ClickHouse nothing. */
export function runPrintAll(say: Say, env?: Env): number {
  const config = configOr(say, () => readTargetConfig(env));
  if (config === null) return 2;
  const { clickhouseDatabase: database, clickhouseCluster: cluster } = config;
  say.out(printed(readMigrations(), { database, cluster }));
  return 0;
}

const HOLDERS: readonly GrantHolder[] = ["migrate", "recorder", "control"];

/** Prints one line of JSON: ClickHouse's version, whether the tables are up to date, else why not, how far its clock is ahead of ours (ms), and for each part the statements that grant what this user lacks (null: ClickHouse cannot tell). Exit codes as `runMigrate`; 0 also if a migration is missing. */
export async function runCheck(say: Say, env?: Env): Promise<number> {
  return await withSql(say, env, async (sql, { database }) => {
    const askedAt = Date.now();
    const [server] = await sql.query<{ version: string; now: string }>(
      "SELECT version() AS version, toString(toUnixTimestamp64Milli(now64(3))) AS now",
    );
    // Its clock was read at some moment between the question and the answer.
    const readAt = (askedAt + Date.now()) / 2;
    const tables = await stateOf({
      sql,
      database,
      migrations: readMigrations(),
    });
    const aheadMs = Math.round(Number(server?.now) - readAt);
    const missing = Object.fromEntries(
      await Promise.all(
        HOLDERS.map(async (holder) => [
          holder,
          await missingGrants(sql.valueOf, { holder, database }),
        ]),
      ),
    );
    const { version } = server ?? {};
    say.out(JSON.stringify({ version, ...tables, aheadMs, missing }));
  });
}

/** These modes speak by themselves. */
const QUIET = { service: "recorder", level: "silent" } as const;

async function withSql(
  say: Say,
  env: Env | undefined,
  use: (sql: Writer, target: DdlTarget) => Promise<void>,
): Promise<number> {
  const config = configOr(say, () => readMigrateConfig(env));
  if (config === null) return 2;
  // Not connected to the target database, which may not exist yet; the migrations name it themselves.
  const access = clickhouseAccess(config, createLog(QUIET));
  const sql = createWriter({ ...access, database: "default" });
  try {
    await use(sql, {
      database: config.clickhouseDatabase,
      cluster: config.clickhouseCluster,
    });
    return 0;
  } catch (error) {
    return explain(error, say.err);
  } finally {
    await sql.close();
  }
}

/** Null after every problem was said. */
function configOr<T>(say: Say, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) say.err(problem.message);
    return null;
  }
}

/** The last line says what to do next, if that is known. */
function explain(error: unknown, err: (line: string) => void): number {
  if (error instanceof MigrationRefusedError) {
    err(`refused: ${error.message}`);
    if (error.next !== null) err(`next: ${error.next}`);
    return 5;
  }
  const { code, message } = error as { code?: string; message?: string };
  const isServers = code !== undefined && /^\d+$/.test(code);
  const isNetwork =
    !isServers && (code !== undefined || message === "Timeout error.");
  err(
    isNetwork
      ? `ClickHouse cannot be reached: ${code ?? ""} ${message ?? ""}`.trim()
      : `failed: ${isServers ? `ClickHouse ${code}: ` : ""}${message ?? String(error)}`,
  );
  const next = nextAfter(code);
  if (next !== null) err(`next: ${next}`);
  return isNetwork ? 3 : 1;
}

/** By ClickHouse's code, or that of Node or OpenSSL. */
function nextAfter(code: string | undefined): string | null {
  if (code === undefined) return null;
  // No such user, a password that is missing or wrong.
  if (["192", "193", "194", "516"].includes(code))
    return "Check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or the user in CLICKHOUSE_URL.";
  if (code === "497")
    return "Give this user the grants that docs/security.md lists.";
  if (/CERT|SIGNED|^UNABLE_TO/.test(code))
    return "Is CLICKHOUSE_TLS_CA the authority of this certificate, and is the host of CLICKHOUSE_URL in it? See docs/security.md";
  if (/^EPROTO$|SSL/.test(code))
    return "CLICKHOUSE_URL is https: does this port speak TLS?";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "Correct the host of CLICKHOUSE_URL, or this machine's DNS.";
  return null;
}
