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
import { RefusedError } from "../clickhouse/with-sql.ts";
import type { Writer } from "../clickhouse/writer.ts";
import {
  createDatabase,
  createHistory,
  recordOf,
  statementsOf,
  type DdlTarget,
} from "./ddl.ts";
import type { Migration } from "./migration-files.ts";

/** What the migrator needs of ClickHouse. Statements name their database themselves. */
export type SqlRunner = Pick<Writer, "command" | "query" | "valueOf">;

export interface MigrateOptions {
  readonly sql: SqlRunner;
  readonly database: string;
  readonly migrations: readonly Migration[];
  /** Runs each statement on all replicas of this cluster, and makes the tables replicated. Without it: one server. */
  readonly cluster?: string | null;
  /** Called after each migration that was applied. */
  readonly onApplied?: (name: string) => void;
  /** How long to wait for another migrator (ms). Default 60 s. */
  readonly lockWaitMs?: number;
  /** A lock older than this (ms) is taken for one that a dead migrator left. Default 10 minutes. */
  readonly staleLockMs?: number;
}

/** The migrations recorded in the database are not those of the files: nothing was changed. */
export class MigrationRefusedError extends RefusedError {
  readonly code = "MIGRATION_REFUSED";
}

const LOCK = "postrider_migrations_lock";
const LOCK_POLL_MS = 200;

/** Resolves to the names of the migrations that were applied; an empty list when the database was up to date. */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { sql, database } = options;
  if (!(await isThere(sql, database)))
    await sql.command(createDatabase(targetOf(options)));
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
  const { sql } = options;
  const target = targetOf(options);
  await refuseMixed(options);
  await sql.command(createHistory(target));
  const pending = await pendingMigrations(options);
  for (const migration of pending) {
    for (const statement of statementsOf(migration, target))
      await sql.command(statement);
    await sql.command(recordOf(migration, target));
    options.onApplied?.(migration.name);
  }
  return pending.map(({ name }) => name);
}

/** What `migrate` would apply now. Changes nothing, and needs no database. Throws `MigrationRefusedError` as `migrate` does. */
export async function wouldApply(
  options: Pick<MigrateOptions, "sql" | "database" | "migrations" | "cluster">,
): Promise<readonly Migration[]> {
  await refuseMixed(options);
  return (await engineOfHistory(options)) === null
    ? options.migrations
    : await pendingMigrations(options);
}

/**
 * A table that is there is left as it is: on a cluster the other replicas would get an empty one of their own beside it. The history is
 * made before any other table, so its engine tells of all.
 */
async function refuseMixed(
  options: Pick<MigrateOptions, "sql" | "database" | "cluster">,
): Promise<void> {
  const { database, cluster = null } = options;
  if (cluster === null) return;
  const engine = await engineOfHistory(options);
  if (engine === "ReplacingMergeTree")
    throw new MigrationRefusedError(
      `the tables of ${database} are not replicated, so they cannot be migrated on cluster ${cluster}`,
      "Take another database (POSTRIDER_CLICKHOUSE_DATABASE), or leave POSTRIDER_CLICKHOUSE_CLUSTER empty; see docs/sql/replicated.md",
    );
}

/** Null where it is not there yet. */
async function engineOfHistory({
  sql,
  database,
}: Pick<MigrateOptions, "sql" | "database">): Promise<string | null> {
  const [history] = await sql.query<{ engine: string }>(
    "SELECT engine FROM system.tables WHERE database = {database: String} AND name = 'postrider_migrations'",
    { database },
  );
  return history?.engine ?? null;
}

function targetOf({ database, cluster = null }: MigrateOptions): DdlTarget {
  return { database, cluster };
}

async function isThere(sql: SqlRunner, database: string): Promise<boolean> {
  const [found] = await sql.query<{ n: string }>(
    "SELECT toString(count()) AS n FROM system.databases WHERE name = {database: String}",
    { database },
  );
  return found?.n === "1";
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
