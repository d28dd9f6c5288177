/**
 * The order of a stop: drop what has not started → finish what has → produce → commit. Then only may the consumer leave
 * the group, because kafkajs answers a commit during its stop with success and does nothing (docs/kafkajs.md, "Commit before the stop").
 */
import type { EpochMs } from "@postrider/core";
import type { Committer } from "../offsets/committer.ts";
import { sleep, within, type Clock } from "@postrider/runtime";
import type { RecordWork } from "./record-work.ts";

/** Of the time that a stop is given, what output, commit and leaving the group keep, at most, ms. */
const RESERVE_MS = 5000;
/** Between two assignments nothing can be committed; the next one may come, ms. */
const COMMIT_RETRY_MS = 50;

interface Bounds {
  readonly deadline: EpochMs;
  readonly clock: Pick<Clock, "now">;
}

/** Resolves when everything that was started is done and committed, or at the deadline. */
export async function finishAndCommit(
  work: Pick<RecordWork<never>, "giveBack" | "idle" | "abort">,
  committer: Pick<Committer, "drain">,
  { deadline, clock }: Bounds,
): Promise<void> {
  const left = Math.max(0, deadline - clock.now());
  const reserve = Math.min(RESERVE_MS, left / 4);
  work.giveBack();
  await until(work.idle(), { deadline: deadline - reserve, clock });
  work.abort();
  await until(work.idle(), { deadline: deadline - reserve / 2, clock });
  const isOver = () => clock.now() >= deadline;
  await until(commitAll(committer, isOver), { deadline, clock });
}

async function commitAll(
  committer: Pick<Committer, "drain">,
  isOver: () => boolean,
): Promise<void> {
  while (!(await committer.drain(isOver)) && !isOver())
    await sleep(COMMIT_RETRY_MS);
}

/** Resolves with the work, or at the deadline. */
async function until(
  work: Promise<void>,
  { deadline, clock }: Bounds,
): Promise<void> {
  await within(work, deadline - clock.now());
}
