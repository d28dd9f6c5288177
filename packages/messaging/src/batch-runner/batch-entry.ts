/** A record and what became of it, and what a list of them amounts to. Pure. */
import type { DeadLetterReason, EpochMs } from "@postrider/core";
import { encodeIntent, STORED_CHARACTERS } from "./intent-metadata.ts";
import type { Intent, IntentRange } from "./intent-metadata.ts";
import { lastOffsetOf, type RawRecord } from "../record.ts";

/** Why a record makes no row. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** A record with its row, or with the reason why it has none. */
export type BatchEntry<Row> =
  | {
      readonly kind: "row";
      readonly raw: RawRecord;
      readonly row: Row;
    }
  | {
      readonly kind: "refused";
      readonly raw: RawRecord;
      readonly refusal: Refusal;
    };

export type RefusedEntry = Extract<BatchEntry<unknown>, { kind: "refused" }>;

/** The rows of entries, in their order. */
export function rowsOf<Row>(
  entries: readonly BatchEntry<Row>[],
  at: EpochMs,
  reducedRowOf?: (entry: RefusedEntry, at: EpochMs) => Row,
): Row[] {
  const rows: Row[] = [];
  for (const entry of entries) {
    if (entry.kind === "row") rows.push(entry.row);
    else if (reducedRowOf !== undefined) rows.push(reducedRowOf(entry, at));
  }
  return rows;
}

/** The intent of entries that are sorted as `record` says. */
export function intentOf(
  entries: readonly BatchEntry<unknown>[],
  intendedAt: EpochMs,
): Intent {
  const ranges: (IntentRange & { last: number; excluded: number[] })[] = [];
  for (const { kind, raw } of entries) {
    let range = ranges.at(-1);
    if (range?.partition !== raw.partition) {
      range = {
        partition: raw.partition,
        first: raw.offset,
        last: raw.offset,
        firstTimestamp: raw.timestamp,
        excluded: [],
      };
      ranges.push(range);
    }
    range.last = lastOffsetOf(raw);
    if (kind === "refused") range.excluded.push(raw.offset);
  }
  return { intendedAt, ranges };
}

export function refused(raw: RawRecord, detail: string): RefusedEntry {
  return { kind: "refused", raw, refusal: { reason: "row_refused", detail } };
}

/** The intent with these records of a partition excluded, too; null if that changes nothing, or no longer fits into a commit. */
export function widened(
  intent: Intent,
  partition: number,
  losers: readonly RefusedEntry[],
): Intent | null {
  const ranges = intent.ranges.map((range) => {
    if (range.partition !== partition) return range;
    // A batch that cannot be read now, but could be then, is left out under the same token, like records that retention deleted.
    const offsets = losers
      .filter(({ raw }) => raw.unreadable === undefined)
      .map(({ raw }) => raw.offset);
    const excluded = [...new Set([...range.excluded, ...offsets])];
    return { ...range, excluded: excluded.sort((a, b) => a - b) };
  });
  const wider = { ...intent, ranges };
  const { length } = encodeIntent(wider);
  const isChanged = ranges.some(
    ({ excluded }, n) => excluded.length > intent.ranges[n]!.excluded.length,
  );
  return isChanged && length <= STORED_CHARACTERS ? wider : null;
}
