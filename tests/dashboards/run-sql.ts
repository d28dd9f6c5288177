/** Runs SQL as a user who may only read, as Grafana's should be. */

export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  /** What ClickHouse says that it read. */
  readonly readRows: number;
}

export async function runSql(
  { url, database }: { readonly url: string; readonly database: string },
  sql: string,
): Promise<SqlAnswer> {
  const parameters = new URLSearchParams({
    database,
    readonly: "1",
    wait_end_of_query: "1",
    default_format: "JSONCompact",
  });
  const answer = await fetch(`${url}/?${parameters.toString()}`, {
    method: "POST",
    headers: { connection: "close" },
    body: sql,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${text}\n${sql}`);
  const { meta, data } = JSON.parse(text) as {
    meta: SqlAnswer["columns"];
    data: SqlAnswer["rows"];
  };
  const summary = JSON.parse(
    answer.headers.get("x-clickhouse-summary") ?? "{}",
  ) as { read_rows: string };
  return { columns: meta, rows: data, readRows: Number(summary.read_rows) };
}
