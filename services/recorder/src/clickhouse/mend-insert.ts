/**
 * Puts back the rows of an insert that ClickHouse has recorded as done, but whose rows it has lost.
 *
 * ClickHouse writes a part's entry into the deduplication log before it puts the part into place. A kill between these two leaves the
 * entry without the part. When the insert is repeated under its token, the table drops it as a repeat, but the views, which have no
 * entry yet, take their rows. So rows are missing in the source table only, and must be put back without feeding the views again:
 *
 * 1. The missing rows are inserted into a staging table made for this range. It has no views and a deduplication log of its own.
 * 2. Rows that the source table has by now, or has in a later row of the same key, are deleted from the staging table.
 * 3. Each partition of the staging table is MOVEd to the source table. MOVE does not feed views, and a row leaves the staging table
 *    as it arrives in the source table, so nothing is doubled when the statement is sent twice or by two processes.
 * 4. The staging table is dropped.
 *
 * After a crash at any point, the mend starts again from the beginning: a leftover staging table is dropped first (`SYNC` waits for a
 * statement still at work on it), then the missing rows are looked up anew. Two owners can mend at the same moment only if one was
 * frozen within step 3; that could at worst leave a row twice for a while, because the tables are ReplacingMergeTree.
 *
 * A view's own table can lose a part in the same way. `deliveries` therefore always gets the range's rows again; of equal rows it keeps
 * one. Roll-ups are not mended: nothing tells from which batch their rows came.
 */
import type { EpochMs } from "@postrider/core";
import type { Row, Table } from "../columns.ts";

/** What a mend needs of ClickHouse. Each method rejects with ClickHouse's error. */
export interface MendSql<T> {
  command(statement: string): Promise<void>;
  /** Inserts under the token of the insert that is mended. */
  insert(table: string, rows: readonly Row<T>[]): Promise<void>;
  query<R>(query: string): Promise<R[]>;
}

/** Its columns include `log_partition` and `log_offset`. */
type MendedTable<T> = Pick<
  Table<T>,
  "name" | "timeColumn" | "timeOf" | "deliveriesView"
>;

/** Resolves to the number of rows that were put back. `rows` are the rows of one insert: at least one, all of one log partition, in ascending order of offset. */
export async function mendInsert<T>(
  sql: MendSql<T>,
  table: MendedTable<T>,
  rows: readonly Row<T>[],
): Promise<number> {
  const range = rangeOf(table, rows);
  const putBack = await putBackMissing(sql, { table, rows, range });
  const { deliveriesView } = table;
  if (deliveriesView !== null)
    await refillDeliveries(sql, table.name, deliveriesView, range);
  return putBack;
}

async function putBackMissing<T>(
  sql: MendSql<T>,
  mend: {
    readonly table: MendedTable<T>;
    readonly rows: readonly Row<T>[];
    readonly range: Range;
  },
): Promise<number> {
  const { table, rows, range } = mend;
  const staging = `${table.name}_mend_${range.partition}_${range.first}`;
  if (await isThere(sql, staging))
    await sql.command(`DROP TABLE IF EXISTS ${staging} SYNC`);
  const present = new Set(await offsetsThere(sql, table.name, range));
  const missing = rows.filter((row) => !present.has(row.raw.offset));
  if (missing.length === 0) return 0;

  await sql.command(`CREATE TABLE ${staging} AS ${table.name}`);
  await sql.insert(staging, missing);
  const key = await sortingKeyOf(sql, table.name);
  await sql.command(
    `ALTER TABLE ${staging} DELETE WHERE (${key}) IN (SELECT ${key} FROM ${table.name} WHERE ${range.orLater}) SETTINGS mutations_sync = 2`,
  );
  const partitions = await sql.query<{ id: string; rows: number }>(
    `SELECT _partition_id AS id, toUInt32(count()) AS rows FROM ${staging} GROUP BY id`,
  );
  for (const { id } of partitions)
    await sql.command(
      `ALTER TABLE ${staging} MOVE PARTITION ID '${id}' TO TABLE ${table.name}`,
    );
  await sql.command(`DROP TABLE IF EXISTS ${staging} SYNC`);
  return partitions.reduce((sum, { rows: moved }) => sum + moved, 0);
}

type Asking = Pick<MendSql<unknown>, "query">;

interface Range {
  readonly partition: number;
  readonly first: number;
  /** SQL condition: rows of the range. */
  readonly within: string;
  /** SQL condition: rows of the range, or of later offsets of the same log partition. */
  readonly orLater: string;
}

function rangeOf<T>(
  { timeColumn, timeOf }: MendedTable<T>,
  rows: readonly Row<T>[],
): Range {
  const { partition, offset: first } = rows[0]!.raw; // `rows` is never empty
  const last = rows.at(-1)!.raw.offset;
  const times = rows.map(({ value }) => timeOf(value)).sort((a, b) => a - b);
  const time = (at: EpochMs) => `fromUnixTimestamp64Milli(toInt64(${at}))`;
  const orLater = `log_partition = ${partition} AND log_offset >= ${first} AND ${timeColumn} BETWEEN ${time(times[0]!)} AND ${time(times.at(-1)!)}`;
  const within = `${orLater} AND log_offset <= ${last}`;
  return { partition, first, within, orLater };
}

/** Runs the view's SELECT again, for the range only. The insert names the view's columns, because an operator may have added others to `deliveries`. */
async function refillDeliveries<T>(
  sql: MendSql<T>,
  name: string,
  deliveriesView: string,
  { within }: Range,
): Promise<void> {
  const ofView = `database = currentDatabase() AND table = '${deliveriesView}'`;
  const [view] = await sql.query<{
    definition: string;
    columns: string;
    database: string;
  }>(
    `SELECT as_select AS definition, currentDatabase() AS database,
      (SELECT arrayStringConcat(groupArray(name), ', ') FROM (SELECT name FROM system.columns WHERE ${ofView} ORDER BY position)) AS columns
    FROM system.tables WHERE ${ofView}`,
  );
  if (view === undefined) return; // an operator has removed the view
  const { definition, columns, database } = view;
  await sql.command(
    `INSERT INTO deliveries (${columns}) ${definition} SETTINGS insert_deduplicate = 0, async_insert = 0, max_partitions_per_insert_block = 0, additional_table_filters = {'${database}.${name}': '${within}'}`,
  );
}

async function isThere(sql: Asking, table: string): Promise<boolean> {
  const found = await sql.query(
    `SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = '${table}'`,
  );
  return found.length > 0;
}

async function offsetsThere(
  sql: Asking,
  table: string,
  { within }: Range,
): Promise<number[]> {
  const found = await sql.query<{ offset: string }>(
    `SELECT toString(log_offset) AS offset FROM ${table} WHERE ${within}`,
  );
  return found.map(({ offset }) => Number(offset));
}

/** The sorting key as ClickHouse has it now: an operator may have re-created the table with another key. */
async function sortingKeyOf(sql: Asking, table: string): Promise<string> {
  const [found] = await sql.query<{ sorting_key: string }>(
    `SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = '${table}'`,
  );
  return found!.sorting_key; // the table exists: it has just been read
}
