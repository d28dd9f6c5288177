/**
 * Every table, view and column that the migrations make, asked from a real ClickHouse, with the number of the migration that made it.
 * The migrations are applied one by one in a database that is dropped again.
 */
import { randomBytes } from "node:crypto";
import { createWriter } from "../services/recorder/src/clickhouse/writer.ts";
import type { Writer } from "../services/recorder/src/clickhouse/writer.ts";
import { migrate } from "../services/recorder/src/migrate/migrate.ts";
import { readMigrations } from "../services/recorder/src/migrate/migration-files.ts";

export interface FoundColumn {
  readonly name: string;
  readonly type: string;
  /** Empty in a view, whose columns can have none. */
  readonly comment: string;
  readonly since: number;
}

export interface FoundTable {
  readonly name: string;
  /** MergeTree tables have their whole name, such as ReplacingMergeTree; others are View and MaterializedView. */
  readonly engine: string;
  readonly comment: string;
  readonly since: number;
  readonly sortingKey: string;
  readonly partitionKey: string;
  /** The expression of the TTL; empty without one. */
  readonly ttl: string;
  /** Of a materialized view: the table that it fills and the table that it reads. */
  readonly into: string;
  readonly from: string;
  /** In the table's order, without columns that cannot be read. */
  readonly columns: readonly FoundColumn[];
}

/** The migrator's own. */
const OWN = "postrider_migrations";

type TableRow = Omit<FoundTable, "since" | "columns" | "ttl" | "into"> & {
  readonly statement: string;
};

export async function schemaOf(url: string): Promise<readonly FoundTable[]> {
  const database = `postrider_schema_${randomBytes(3).toString("hex")}`;
  const sql = createWriter({ url, database: "default" });
  try {
    return await stepByStep(sql, database);
  } finally {
    await sql.command(`DROP DATABASE IF EXISTS ${database} SYNC`);
    await sql.close();
  }
}

async function stepByStep(
  sql: Writer,
  database: string,
): Promise<FoundTable[]> {
  const all = readMigrations();
  /** By table, and by table and column. */
  const since = new Map<string, number>();
  let tables: TableRow[] = [];
  let columns: (Omit<FoundColumn, "since"> & { table: string })[] = [];
  for (const { number } of all) {
    await migrate({ sql, database, migrations: all.slice(0, number) });
    tables = await sql.query(TABLES_SQL, { database, own: OWN });
    columns = await sql.query(COLUMNS_SQL, { database });
    const seen = [
      ...tables.map(({ name }) => name),
      ...columns.map(({ table, name }) => `${table}.${name}`),
    ];
    for (const name of seen) if (!since.has(name)) since.set(name, number);
  }
  return tables.map(({ statement, ...table }) => ({
    ...table,
    since: since.get(table.name)!, // each has been seen
    ttl: /\bTTL (.*?) SETTINGS/.exec(statement)?.[1] ?? "",
    into: / TO \w+\.(\w+) /.exec(statement)?.[1] ?? "",
    columns: columns
      .filter((column) => column.table === table.name)
      .map(({ name, type, comment }) => ({
        name,
        type,
        comment,
        since: since.get(`${table.name}.${name}`)!,
      })),
  }));
}

const TABLES_SQL = `
SELECT name, engine, comment, sorting_key AS sortingKey, partition_key AS partitionKey, create_table_query AS statement,
  if(engine = 'MaterializedView', extract(as_select, 'FROM \\\\w+\\\\.(\\\\w+)'), '') AS from
FROM system.tables
WHERE database = {database: String} AND name != {own: String}
ORDER BY name`;

const COLUMNS_SQL = `
SELECT table, name, type, comment
FROM system.columns
WHERE database = {database: String} AND default_kind != 'EPHEMERAL'
ORDER BY table, position`;
