/** A table or view that a query can read. */
export interface Table {
  readonly name: string;
  readonly comment: string;
  readonly columns: readonly Column[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  /** What it means; may be empty. */
  readonly comment: string;
}

/**
 * What ClickHouse itself tells of the database's tables: the texts of the migrations, and also what an operator has added. Left out are
 * what only fills other tables, and the migrator's own.
 */
export const SCHEMA_SQL = String.raw`SELECT t.name, t.comment, extract(t.as_select, 'FROM (?:\\w+\\.)?(\\w+)'), c.name, c.type, c.comment
FROM system.tables AS t INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
WHERE t.database = currentDatabase() AND t.engine != 'MaterializedView'
  AND NOT match(t.name, '^postrider_migrations$|_mend_|_repair_|^\\.') AND c.default_kind != 'EPHEMERAL'
ORDER BY t.name, c.position`;

/** Reads the rows of `SCHEMA_SQL`. A view has no comments: what its columns mean is told by the table that it reads. */
export function tablesOf(rows: readonly (readonly unknown[])[]): Table[] {
  const read = rows.map((row) => row.map(String));
  const told = new Map(
    read.map(([table, , , column, , comment]) => [
      `${table}.${column}`,
      comment ?? "",
    ]),
  );
  const byTable = Map.groupBy(read, ([table = ""]) => table);
  return [...byTable].map(([name, columns]) => {
    const [, comment, reads] = columns[0] ?? [];
    return {
      name,
      comment: comment || (reads ? `A view of ${reads}.` : ""),
      columns: columns.map(([, , , column = "", type = "", own = ""]) => ({
        name: column,
        type,
        comment: own || (told.get(`${reads}.${column}`) ?? ""),
      })),
    };
  });
}
