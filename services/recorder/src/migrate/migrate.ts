/**
 * Applies to a database the migrations that it lacks. Each runs once, in order, and is recorded with its checksum in
 * `postrider_migrations`.
 *
 * ClickHouse has no transactions over DDL, so every statement of a migration must be safe to run twice (IF NOT EXISTS): a migration
 * that failed halfway runs again from its beginning. A lock table keeps a second migrator waiting. If a lock is broken although its
 * owner is alive, two migrators do the same work, which is safe for the same reason.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Writer } from "../clickhouse/writer.ts";
import type { Migration } from "./migration-files.ts";

/** What the migrator needs of ClickHouse. Statements name their database themselves. */
export type SqlRunner = Pick<Writer, "command" | "query" | "valueOf">;

export interface MigrateOptions {
  readonly sql: SqlRunner;
  readonly database: string;
  readonly migrations: readonly Migration[];
  /** Called after each migration that was applied. */
  readonly onApplied?: (name: string) => void;
  /** How long to wait for another migrator (ms). Default 60 s. */
  readonly lockWaitMs?: number;
  /** A lock older than this (ms) is taken for one that a dead migrator left. Default 10 minutes. */
  readonly staleLockMs?: number;
}

/** The migrations recorded in the database are not those of the files: nothing was changed. */
export class MigrationRefusedError extends Error {
  readonly code = "MIGRATION_REFUSED";
}

const LOCK = "postrider_migrations_lock";
const LOCK_POLL_MS = 200;

/** Resolves to the names of the migrations that were applied; an empty list when the database was up to date. */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { sql, database } = options;
  const [found] = await sql.query<{ n: string }>(
    "SELECT toString(count()) AS n FROM system.databases WHERE name = {database: String}",
    { database },
  );
  if (found?.n !== "1")
    await sql.command(`CREATE DATABASE IF NOT EXISTS ${database}`);
  return await withLock(options, () => applyPending(options));
}

/** The migrations that the database still needs. Throws `MigrationRefusedError` when its recorded migrations are not those of the files. */
export async function pendingMigrations(
  options: Pick<MigrateOptions, "sql" | "database" | "migrations">,
): Promise<Migration[]> {
  const { sql, database, migrations } = options;
  const applied = await sql.query<{
    number: number;
    name: string;
    checksum: string;
  }>(
    `SELECT number, name, checksum FROM ${database}.postrider_migrations FINAL ORDER BY number`,
  );
  // A newer Postrider may have migrated further. That is no error: an older version must still run after a rollback.
  const known = applied.filter(({ number }) => number <= migrations.length);
  for (const [index, row] of known.entries()) {
    const file = migrations[index]!; // `known` is no longer than the list of files
    if (row.number !== file.number)
      throw new MigrationRefusedError(
        `${database} lacks ${file.name}, but has ${row.name}, which comes later`,
      );
    if (row.checksum !== file.checksum)
      throw new MigrationRefusedError(
        `${file.name} was changed after ${database} had applied it: put it back, and write the change as a new migration`,
      );
  }
  return migrations.slice(known.length);
}

async function applyPending(options: MigrateOptions): Promise<string[]> {
  const { sql, database } = options;
  await sql.command(
    `CREATE TABLE IF NOT EXISTS ${database}.postrider_migrations (number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY number`,
  );
  const pending = await pendingMigrations(options);
  for (const { number, name, checksum, statements } of pending) {
    for (const statement of statements)
      await sql.command(statement.replaceAll("{database}", database));
    await sql.command(
      `INSERT INTO ${database}.postrider_migrations (number, name, checksum) SETTINGS async_insert = 0 VALUES (${number}, '${name}', '${checksum}')`,
    );
    options.onApplied?.(name);
  }
  return pending.map(({ name }) => name);
}

/** CREATE TABLE without IF NOT EXISTS succeeds for one process only: the table is the lock. Its comment is a random id of the owner. */
async function withLock<T>(
  options: MigrateOptions,
  act: () => Promise<T>,
): Promise<T> {
  const lock = `${options.database}.${LOCK}`;
  await takeLock(
    options,
    `CREATE TABLE ${lock} (held UInt8) ENGINE = Memory COMMENT '${randomUUID()}'`,
  );
  try {
    return await act();
  } finally {
    await options.sql.command(`DROP TABLE IF EXISTS ${lock} SYNC`);
  }
}

async function takeLock(
  options: MigrateOptions,
  create: string,
): Promise<void> {
  const { sql, lockWaitMs = 60_000, staleLockMs = 600_000 } = options;
  const until = performance.now() + lockWaitMs;
  for (;;) {
    try {
      return await sql.command(create);
    } catch (error) {
      if ((error as { code?: string }).code !== "57") throw error; // TABLE_ALREADY_EXISTS
      if ((await lockAgeMs(options)) > staleLockMs)
        await sql.command(
          `DROP TABLE IF EXISTS ${options.database}.${LOCK} SYNC`,
        );
      else if (performance.now() > until)
        throw new Error(
          `another migrator is at work on ${options.database}; if it is dead, DROP TABLE ${options.database}.${LOCK}`,
          { cause: error },
        );
      await sleep(LOCK_POLL_MS);
    }
  }
}

/** The lock's age in ms; start and end are by ClickHouse's clock. 0 when the lock is gone by now. */
async function lockAgeMs({ sql, database }: MigrateOptions): Promise<number> {
  const [row] = await sql.query<{ seconds: number }>(
    "SELECT toInt32(dateDiff('second', metadata_modification_time, now())) AS seconds FROM system.tables WHERE database = {database: String} AND name = {lock: String}",
    { database, lock: LOCK },
  );
  return (row?.seconds ?? 0) * 1_000;
}
