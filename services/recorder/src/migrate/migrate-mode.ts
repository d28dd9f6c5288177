/** `main.ts migrate`: applies the migrations once and prints a line for each. `main.ts check`: prints what the database has, and changes nothing. */
import { ConfigError } from "@postrider/runtime";
import type { Env } from "@postrider/runtime";
import { readMigrateConfig } from "../config.ts";
import { MigrationRefusedError, migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";
import { stateOf } from "./table-watch.ts";
import { createWriter, type Writer } from "../clickhouse/writer.ts";

interface Say {
  out(line: string): void;
  err(line: string): void;
}

/** Resolves to the exit code: 0 up to date · 1 failed · 2 configuration · 3 ClickHouse cannot be reached · 5 the database's history differs from the migration files. */
export async function runMigrate(say: Say, env?: Env): Promise<number> {
  return await withSql(say, env, async (sql, database) => {
    const migrations = readMigrations();
    const applied = await migrate({
      sql,
      database,
      migrations,
      onApplied: (name) => say.out(`applied ${name}`),
    });
    say.out(
      `${database} is up to date: ${migrations.length} migrations, ${applied.length} applied now`,
    );
  });
}

/** Prints one line of JSON: ClickHouse's version, whether the tables are up to date, else why not, and how far its clock is ahead of ours (ms). Exit codes as `runMigrate`; 0 also if a migration is missing. */
export async function runCheck(say: Say, env?: Env): Promise<number> {
  return await withSql(say, env, async (sql, database) => {
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
    say.out(JSON.stringify({ version: server?.version, ...tables, aheadMs }));
  });
}

async function withSql(
  say: Say,
  env: Env | undefined,
  use: (sql: Writer, database: string) => Promise<void>,
): Promise<number> {
  let config;
  try {
    config = readMigrateConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) say.err(problem.message);
    return 2;
  }
  // Not connected to the target database, which may not exist yet; the migrations name it themselves.
  const sql = createWriter({ url: config.clickhouseUrl, database: "default" });
  try {
    await use(sql, config.clickhouseDatabase);
    return 0;
  } catch (error) {
    return explain(error, say.err);
  } finally {
    await sql.close();
  }
}

function explain(error: unknown, err: (line: string) => void): number {
  if (error instanceof MigrationRefusedError) {
    err(`refused: ${error.message}`);
    return 5;
  }
  const { code, message } = error as { code?: string; message?: string };
  const isServers = code !== undefined && /^\d+$/.test(code);
  const isNetwork =
    !isServers && (code !== undefined || message === "Timeout error.");
  if (isNetwork) {
    err(`ClickHouse cannot be reached: ${code ?? ""} ${message ?? ""}`.trim());
    return 3;
  }
  err(
    `failed: ${isServers ? `ClickHouse ${code}: ` : ""}${message ?? String(error)}`,
  );
  return 1;
}
