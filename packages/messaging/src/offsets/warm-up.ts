/**
 * How far below the committed offset a new owner reads a partition again, so that its stage remembers those records and
 * recognises their repeats.
 *
 * Which records below the committed offset can still get a repeat? Not those that the previous owner of this partition
 * handled before it died: what it had not committed is above the committed offset, or open, and is read as new. But when the
 * process that writes to this topic dies, its successor writes repeats a session timeout or more after the originals. The
 * originals may be done and committed by then. If the partition changes its owner in between, only the log still knows them.
 * So we read again the records written up to `warmUpMs` before the next record to handle; the stage remembers for that long.
 *
 * These are the times of the log's records, so this machine's clock need not be right: it only says where the search begins.
 * The time of the record at the base, or of the last record if the group has read the whole log, is found by asking the
 * broker for the offset of a time, exact to a quarter of `warmUpMs`.
 *
 * The limits of records and bytes (`warmUpRecords`, `warmUpBytes`) come before this time: a partition that a second fault
 * moves again must not wait long for records of which few have repeats. If a limit cuts the time short, the records nearest
 * to the base are read. What is then not promised: docs/guarantees.md, "Not promised".
 */
import type { EpochMs } from "@postrider/core";
import type { LogRange } from "../ports.ts";

export interface WarmUpQuestion {
  /** Every offset below it is done. */
  readonly base: number;
  readonly log: LogRange;
  readonly warmUpMs: number;
  readonly now: EpochMs;
  /** The first offset whose record was written at this time or later; null if none was. */
  readonly offsetAt: (at: EpochMs) => Promise<number | null>;
}

/** The offset from which records are read again; at most the base. */
export async function warmUpStart(question: WarmUpQuestion): Promise<number> {
  const { base, log, warmUpMs, offsetAt } = question;
  if (log.start === log.end) return log.start;
  const since = (await writtenSince(question)) - warmUpMs;
  if (since <= 0) return log.start;
  return Math.min(base, (await offsetAt(since)) ?? base);
}

/** About when the record at the base was written, or the last record if the log ends at the base: never later, and earlier by at most a quarter of `warmUpMs`. */
async function writtenSince({
  base,
  log,
  warmUpMs,
  now,
  offsetAt,
}: WarmUpQuestion): Promise<EpochMs> {
  const next = Math.min(base, log.end - 1);
  const exactMs = Math.max(1, warmUpMs / 4);
  const isBefore = async (at: EpochMs): Promise<boolean> =>
    at <= 0 || ((await offsetAt(at)) ?? Infinity) <= next;
  let tooLateMs = 0;
  let agoMs = exactMs;
  while (!(await isBefore(now - agoMs))) {
    tooLateMs = agoMs;
    agoMs *= 2;
  }
  while (agoMs - tooLateMs > exactMs) {
    const middleMs = (agoMs + tooLateMs) / 2;
    if (await isBefore(now - middleMs)) agoMs = middleMs;
    else tooLateMs = middleMs;
  }
  return now - agoMs;
}
