/** Reads the end of a topic's log, in no group. */
import type { Admin, LogRange, RawRecord } from "@postrider/messaging";

type Reader = Pick<Admin, "fetchLogRanges" | "fetchOnce">;

const FETCH_BYTES = 1 << 20;
/** So many fetches in a row that bring nothing: behind an open transaction there is nothing to read. */
const MOST_EMPTY = 10;
/** Where the end of a log has few records (transactions, compaction), so many times more of it is read. */
const FURTHER = 8;

/** The topic's last records over all partitions, by their timestamps, oldest first. */
export async function lastRecords(
  admin: Reader,
  topic: string,
  count: number,
): Promise<RawRecord[]> {
  const ranges = await admin.fetchLogRanges([topic]);
  const found = await Promise.all(
    ranges.map((range) => lastOfPartition(admin, range, count)),
  );
  return found
    .flat()
    .toSorted(
      (a, b) =>
        a.timestamp - b.timestamp ||
        a.partition - b.partition ||
        a.offset - b.offset,
    )
    .slice(-count);
}

async function lastOfPartition(
  admin: Reader,
  range: LogRange,
  count: number,
): Promise<RawRecord[]> {
  for (let span = count; ; span *= FURTHER) {
    const from = Math.max(range.start, range.end - span);
    const records = await lastFrom(admin, { ...range, start: from }, count);
    if (records.length >= count || from === range.start) return records;
  }
}

async function lastFrom(
  admin: Reader,
  range: LogRange,
  count: number,
): Promise<RawRecord[]> {
  let records: RawRecord[] = [];
  let position = range.start;
  let empty = 0;
  while (position < range.end && empty < MOST_EMPTY) {
    const from = position;
    const batch = await admin.fetchOnce(range, from, FETCH_BYTES);
    if (batch === null) {
      empty += 1;
      continue;
    }
    empty = 0;
    const taken = batch.records.filter(
      ({ offset }) => offset >= from && offset < range.end,
    );
    records = [...records, ...taken].slice(-count);
    position = batch.lastOffset + 1;
  }
  return records;
}
