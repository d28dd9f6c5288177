/**
 * What the attempts of one endpoint showed lately: the failures in a row, and all attempts of the last minute, in slices of
 * ten seconds. Tells whether that is enough to open the endpoint's breaker.
 *
 * A run of failures opens it at 10. If the endpoint often fails anyway, longer runs come about by chance: at half of a thousand
 * attempts a second there are ten failures in a row every two seconds. So the run must then be so long that chance would make it once in a million
 * attempts: 20 failures at a half, 39 at 70 %.
 */
import type { MonotonicMs } from "@postrider/core";

const RUN = 10;
/** For an endpoint that has not answered in this process, with any status: a new owner must not hammer a dead one. */
const RUN_UNANSWERED = 5;
const CHANCE = 1e-6;

const SHARE = 0.7;
/** Fewer attempts show no share. */
const SHARE_FROM = 20;
const SLICE_MS = 10_000;
const SLICES = 6;
/** The share of a shorter time, ms, is not judged: retries come later than first attempts, so failures gather at first. */
const SHARE_AFTER_MS = 10_000;

interface Slice {
  readonly from: MonotonicMs;
  failed: number;
  all: number;
}

export class FailureWindow {
  /** Ascending; the last one is the current one. */
  #slices: Slice[] = [];
  #run = 0;

  add(hasFailed: boolean, now: MonotonicMs): void {
    const slice = this.#sliceAt(now);
    slice.all += 1;
    slice.failed += Number(hasFailed);
    this.#run = hasFailed ? this.#run + 1 : 0;
  }

  /** Successes a second, within the last minute; 0 if the window is shorter than a second. */
  wellPerSecond(now: MonotonicMs): number {
    this.#sliceAt(now);
    const ms = now - (this.#slices[0]?.from ?? now);
    if (ms < 1_000) return 0;
    let well = 0;
    for (const { all, failed } of this.#slices) well += all - failed;
    return (well * 1_000) / ms;
  }

  /** Why the breaker must open, for people; `null` if it need not. */
  reasonToOpen(hasAnswered: boolean, now: MonotonicMs): string | null {
    this.#sliceAt(now);
    let failed = 0;
    let all = 0;
    for (const slice of this.#slices) {
      failed += slice.failed;
      all += slice.all;
    }
    const run = this.#run;
    if (
      run >= (hasAnswered ? longRun(failed - run, all - run) : RUN_UNANSWERED)
    )
      return `${run} attempts in a row failed${hasAnswered ? "" : ", and none was ever answered"}`;
    const since = this.#slices[0]?.from ?? now;
    if (now - since < SHARE_AFTER_MS) return null;
    return all >= SHARE_FROM && failed >= SHARE * all
      ? `${failed} of ${all} attempts within a minute failed`
      : null;
  }

  #sliceAt(now: MonotonicMs): Slice {
    const last = this.#slices.at(-1);
    if (last !== undefined && now - last.from < SLICE_MS) return last;
    const oldest = now - SLICE_MS * (SLICES - 1);
    const slice = { from: now, failed: 0, all: 0 };
    this.#slices = this.#slices.filter(({ from }) => from > oldest);
    this.#slices.push(slice);
    return slice;
  }
}

/** How many failures in a row are no chance, if `failed` of `all` other attempts failed. */
function longRun(failed: number, all: number): number {
  if (all < SHARE_FROM || failed <= 0) return RUN;
  const share = Math.min(failed / all, SHARE);
  return Math.max(RUN, Math.ceil(Math.log(CHANCE) / Math.log(share)));
}
