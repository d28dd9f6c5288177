/**
 * Of how many units of a selection the payload is lost. ClickHouse keeps some 300 bytes for each unit while it counts: of a selection of
 * ten million that is more than a query may have. So a large one is counted in stretches of the time in which its events came in.
 */
import type { EpochMs } from "@postrider/core";
import type { LogRange } from "@postrider/messaging";
import { hoursSql, lostSql } from "./counts-sql.ts";
import type { Selected, SelectionSql } from "./selection-sql.ts";

/** Units of a stretch, or those of one hour. */
const MOST_UNITS = 1_000_000;

export interface Lost {
  readonly payloadGone: number;
  readonly headersRedacted: number;
}

interface LostRow {
  readonly tenant_id: string;
  readonly endpoint_id: string;
  readonly payload_gone: number;
  readonly headers_redacted: number;
}

interface HourRow {
  readonly hour: EpochMs;
  readonly units: number;
}

/** By `endpointKey`. `total`: how many units the selection has. */
export async function lostPayloads(
  ask: <Row>(of: SelectionSql) => Promise<Row[]>,
  of: {
    readonly selected: Selected;
    readonly log: readonly LogRange[];
    readonly total: number;
  },
  mostUnits = MOST_UNITS,
): Promise<ReadonlyMap<string, Lost>> {
  const { selected, log, total } = of;
  const stretches =
    total <= mostUnits
      ? [selected]
      : stretchesOf(
          selected,
          await ask<HourRow>(hoursSql(selected)),
          mostUnits,
        );
  const lost = new Map<string, Lost>();
  // One after the other: together they would take the memory that each is to save.
  for (const stretch of stretches)
    for (const row of await ask<LostRow>(lostSql(stretch, log))) {
      const key = endpointKey(row);
      const before = lost.get(key);
      lost.set(key, {
        payloadGone: (before?.payloadGone ?? 0) + row.payload_gone,
        headersRedacted: (before?.headersRedacted ?? 0) + row.headers_redacted,
      });
    }
  return lost;
}

export function endpointKey({
  tenant_id,
  endpoint_id,
}: Pick<LostRow, "tenant_id" | "endpoint_id">): string {
  return `${tenant_id} ${endpoint_id}`;
}

/** The same selection in parts that follow one another, each of whole hours. */
function stretchesOf(
  selected: Selected,
  hours: readonly HourRow[],
  mostUnits: number,
): Selected[] {
  const starts: EpochMs[] = [];
  let units = Infinity;
  for (const { hour, units: ofHour } of hours) {
    if (units + ofHour > mostUnits) {
      starts.push(hour);
      units = 0;
    }
    units += ofHour;
  }
  const { receivedSince, receivedUntil } = selected.selection;
  return starts.map((start, at) => ({
    ...selected,
    selection: {
      ...selected.selection,
      receivedSince: at === 0 ? receivedSince : start,
      receivedUntil: starts[at + 1] ?? receivedUntil,
    },
  }));
}
