/** What ClickHouse has done since its start, as it counts it itself (`system.events`). */
import type { Stack } from "@postrider/local-stack";
import { rowsOf } from "@postrider/testkit";

export interface StoreCounts {
  readonly inserts: number;
  /** Parts that inserts have made; an insert makes one or more in each table that it fills. */
  readonly parts: number;
  readonly merges: number;
}

const EVENTS = {
  inserts: "InsertQuery",
  parts: "MergeTreeDataWriterBlocks",
  merges: "Merge",
} as const;

export async function storeCounts({ clickhouse }: Stack): Promise<StoreCounts> {
  const rows = await rowsOf<{ event: string; value: string }>(
    clickhouse.url,
    "SELECT event, value FROM system.events WHERE event IN {names: Array(String)}",
    { names: Object.values(EVENTS) },
  );
  const values = new Map(
    rows.map(({ event, value }) => [event, Number(value)]),
  );
  // An event that has not happened yet has no row.
  const count = (name: keyof StoreCounts): number =>
    values.get(EVENTS[name]) ?? 0;
  return {
    inserts: count("inserts"),
    parts: count("parts"),
    merges: count("merges"),
  };
}
