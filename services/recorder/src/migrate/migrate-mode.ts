/** `main.ts migrate`: applies the migrations once and prints a line for each. */
import { ConfigError } from "@postrider/runtime";
import type { Env } from "@postrider/runtime";
import { readMigrateConfig } from "../config.ts";
import { MigrationRefusedError, migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";
import { createWriter } from "../clickhouse/writer.ts";

/** Resolves to the exit code: 0 up to date · 1 failed · 2 configuration · 3 ClickHouse cannot be reached · 5 the database's history differs from the migration files. */
export async function runMigrate(
  say: { out(line: string): void; err(line: string): void },
  env?: Env,
): Promise<number> {
  let config;
  try {
    config = readMigrateConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) say.err(problem.message);
    return 2;
  }
  const database = config.clickhouseDatabase;
  // Not connected to the target database, which may not exist yet; the migrations name it themselves.
  const sql = createWriter({ url: config.clickhouseUrl, database: "default" });
  try {
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
