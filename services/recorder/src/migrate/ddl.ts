/** Every statement that a migration takes, for one server or for a cluster: what `migrate` runs and what `migrate --print` prints. */
import type { Migration } from "./migration-files.ts";
import { onCluster, onClusterClause } from "./on-cluster.ts";

export interface DdlTarget {
  readonly database: string;
  /** The cluster on all of whose replicas the statements are run; null: one server. */
  readonly cluster: string | null;
}

export function createDatabase({ database, cluster }: DdlTarget): string {
  return `CREATE DATABASE IF NOT EXISTS ${database}${cluster === null ? "" : ` ${onClusterClause(cluster)}`}`;
}

/** The table of what was applied. */
export function createHistory(target: DdlTarget): string {
  return forTarget(
    "CREATE TABLE IF NOT EXISTS {database}.postrider_migrations (number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY number",
    target,
  );
}

export function statementsOf(
  { statements }: Migration,
  target: DdlTarget,
): string[] {
  return statements.map((statement) => forTarget(statement, target));
}

/** Says in the history that the migration was applied; the other replicas get the row by themselves. */
export function recordOf(
  { number, name, checksum }: Migration,
  { database }: DdlTarget,
): string {
  return `INSERT INTO ${database}.postrider_migrations (number, name, checksum) SETTINGS async_insert = 0 VALUES (${number}, '${name}', '${checksum}')`;
}

function forTarget(
  statement: string,
  { database, cluster }: DdlTarget,
): string {
  const placed = cluster === null ? statement : onCluster(statement, cluster);
  return placed.replaceAll("{database}", database);
}
