/** How large the past became, as ClickHouse counts it. */
import { rowsOf } from "@postrider/testkit";
import type { Figures } from "../context.ts";

export async function countsOf({
  url,
  database,
}: {
  readonly url: string;
  readonly database: string;
}): Promise<Figures> {
  const tables = await rowsOf<{
    name: string;
    rows: string;
    bytes: string;
    parts: string;
  }>(
    url,
    `SELECT table AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts
FROM system.parts WHERE active AND database = {database:String} AND table IN ('attempts', 'deliveries', 'events', 'dead_letters')
GROUP BY name ORDER BY name`,
    { database },
  );
  const entries = tables.flatMap(({ name, rows, bytes, parts }) => [
    [`${camelCase(name)}Rows`, Number(rows)] as const,
    [`${camelCase(name)}Mb`, Math.round(Number(bytes) / 2 ** 20)] as const,
    [`${camelCase(name)}Parts`, Number(parts)] as const,
  ]);
  return Object.fromEntries(entries);
}

function camelCase(table: string): string {
  return table.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
