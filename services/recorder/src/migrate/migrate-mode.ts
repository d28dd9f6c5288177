/** `main.ts migrate`: applies the migrations once and prints a line for each. `main.ts print` and `print-all`: print what would be run. `main.ts check`: prints what the database has, and changes nothing. */
import { missingGrants } from "@postrider/runtime";
import type { Env, GrantHolder } from "@postrider/runtime";
import { configOr, withSql, type Say } from "../clickhouse/with-sql.ts";
import { readTargetConfig } from "../config.ts";
import { migrate, wouldApply } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";
import { printed } from "./print.ts";
import { stateOf } from "./table-watch.ts";

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
