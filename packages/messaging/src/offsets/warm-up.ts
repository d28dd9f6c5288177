/**
 * How far below the committed offset a partition is read again, to remember what came before.
 *
 * Which of those records can have a twin that is still to be read? Not those of our predecessor's own death: what it had done
 * and not said stands in no commit, so their outputs lie above what is done, and are read as new. But when whoever writes to
 * this topic died, its twins come until a session timeout and more after their firsts, and the firsts may be done and
 * committed by then. If the partition moves in between, only the log knows them. So records are read again that were written
 * up to `warmUpMs` before those that come next: the time that the stage remembers for.
 *
 * The time is the log's. Where nothing is left to read, what comes next is written now. Where the group lags, the time of the
 * base is found by asking which offset belongs to which time, to a quarter of `warmUpMs`.
 *
 * The limits of records and bytes stand above it (`warmUpRecords`, `warmUpBytes`): a partition that a second, later fault
 * moves again is not to wait long for records of which few have twins. Where they cut the time short, the nearest are read.
 * What then does not hold stands in docs/guarantees.md, "Not promised".
 */
import type { EpochMs } from "@postrider/core";
import type { LogRange } from "../ports.ts";

export interface WarmUpQuestion {
  /** Below it all is done. */
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
  const since = (await writtenSince(question)) - warmUpMs;
  if (since <= 0) return log.start;
  return Math.min(base, (await offsetAt(since)) ?? base);
}

/** A time at or before which nothing from the base on was written: exact to a quarter of the warm-up. */
async function writtenSince({
  base,
  log,
  warmUpMs,
  now,
  offsetAt,
}: WarmUpQuestion): Promise<EpochMs> {
  if (base >= log.end) return now;
  const exactMs = Math.max(1, warmUpMs / 4);
  const isBefore = async (at: EpochMs): Promise<boolean> =>
    at <= 0 || ((await offsetAt(at)) ?? Infinity) <= base;
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
