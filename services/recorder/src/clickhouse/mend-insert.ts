/**
 * Puts back the rows of an insert that ClickHouse has noted but does not have.
 *
 * ClickHouse writes a part's entry into the deduplication log before it puts the part into place. A kill between the two leaves the
 * entry alone: the insert comes again under its token and is dropped as a repeat, while the views, which have no entry yet, take their
 * share. So the rows are missing in the source table only, and must come back without the views seeing them:
 *
 * 1. the missing rows are inserted into a staging table, made for this range, without views and with a deduplication log of its own
 * 2. of these, what the table has got meanwhile, or has in a later row of the same key, is deleted
 * 3. each partition of it is MOVEd to the table: a row leaves the staging table as it arrives, however often and by whomever the
 *    statement is sent, and views are not fed by it
 * 4. the staging table is dropped
 *
 * A crash anywhere is followed by the same from the beginning: a staging table that was left is dropped first (`SYNC` waits for a
 * statement still at work on it), then what is missing now is looked up anew. Two owners at the same moment, which takes a frozen
 * member within step 3, could at worst leave a row twice for a while: the tables are ReplacingMergeTree.
 *
 * A part of a view's own table can be lost in the same way. `deliveries` gets the range's rows again in any case: of equal rows it keeps
 * one. Roll-ups are not mended: nothing tells which batch their rows came from.
 */
import type { Row } from "../columns.ts";

/** ClickHouse, as far as it is needed here. Each rejects with what it said. */
export interface MendSql {
  command(statement: string): Promise<void>;
  /** Under the insert's own token. */
  insert(table: string, rows: readonly Row[]): Promise<void>;
  query<R>(query: string): Promise<R[]>;
}

export interface MendedTable {
  readonly name: string;
  /** Among them `log_partition` and `log_offset`. */
  readonly columnNames: readonly string[];
  /** What its partitions are days of: bounds what has to be read. */
  readonly timeColumn: string;
  /** The view by which it feeds `deliveries`. */
  readonly deliveriesView: string;
}

/** Resolves to the number of rows that were put back. `rows`: one insert's, at least one, ascending by offset, of one log partition. */
export async function mendInsert(
  sql: MendSql,
  table: MendedTable,
  rows: readonly Row[],
): Promise<number> {
  const range = rangeOf(table, rows);
  const putBack = await putBackMissing(sql, { table, rows, range });
  await refillDeliveries(sql, table, range);
  return putBack;
}

async function putBackMissing(
  sql: MendSql,
  mend: {
    readonly table: MendedTable;
    readonly rows: readonly Row[];
    readonly range: Range;
  },
): Promise<number> {
  const { table, rows, range } = mend;
  const staging = `${table.name}_mend_${range.partition}_${range.first}`;
  if (await isThere(sql, staging))
    await sql.command(`DROP TABLE IF EXISTS ${staging} SYNC`);
  const present = new Set(await offsetsThere(sql, table.name, range));
  const missing = rows.filter((row) => !present.has(range.offsetOf(row)));
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

interface Range {
  readonly partition: number;
  readonly first: number;
  /** SQL: rows of the range. */
  readonly within: string;
  /** SQL: rows of the range, or of the log after it. */
  readonly orLater: string;
  offsetOf(row: Row): number;
}

function rangeOf(
  { columnNames, timeColumn }: MendedTable,
  rows: readonly Row[],
): Range {
  const offsetAt = columnNames.indexOf("log_offset");
  const partitionAt = columnNames.indexOf("log_partition");
  const timeAt = columnNames.indexOf(timeColumn);
  const offsetOf = (row: Row) => Number(row[offsetAt]);
  const partition = Number(rows[0]![partitionAt]); // at least one row
  const first = offsetOf(rows[0]!);
  // ISO text, as columns.ts writes it; of these years it sorts as the times do.
  const times = rows.map((row) => row[timeAt] as string).sort();
  const timeOf = (text: string) => `parseDateTime64BestEffort('${text}', 3)`;
  const orLater = `log_partition = ${partition} AND log_offset >= ${first} AND ${timeColumn} BETWEEN ${timeOf(times[0]!)} AND ${timeOf(times.at(-1)!)}`;
  const within = `${orLater} AND log_offset <= ${offsetOf(rows.at(-1)!)}`;
  return { partition, first, within, orLater, offsetOf };
}

/** Does what the view does, for the range alone; names its columns, as an operator may have added some to `deliveries`. */
async function refillDeliveries(
  sql: MendSql,
  { name, deliveriesView }: MendedTable,
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
  if (view === undefined) return; // an operator does without it
  const { definition, columns, database } = view;
  const filter = within.replaceAll("'", "\\'");
  await sql.command(
    `INSERT INTO deliveries (${columns}) ${definition} SETTINGS insert_deduplicate = 0, async_insert = 0, max_partitions_per_insert_block = 0, additional_table_filters = {'${database}.${name}': '${filter}'}`,
  );
}

async function isThere(sql: MendSql, table: string): Promise<boolean> {
  const found = await sql.query(
    `SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = '${table}'`,
  );
  return found.length > 0;
}

async function offsetsThere(
  sql: MendSql,
  table: string,
  { within }: Range,
): Promise<number[]> {
  const found = await sql.query<{ offset: string }>(
    `SELECT toString(log_offset) AS offset FROM ${table} WHERE ${within}`,
  );
  return found.map(({ offset }) => Number(offset));
}

/** As ClickHouse has it, so that a table an operator made anew with another key is mended by that. */
async function sortingKeyOf(sql: MendSql, table: string): Promise<string> {
  const [found] = await sql.query<{ sorting_key: string }>(
    `SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = '${table}'`,
  );
  return found!.sorting_key; // we have just read it
}
