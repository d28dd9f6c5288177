/**
 * The order of a stop: drop records that have not started → finish those that have → produce → commit. Only then may the
 * consumer leave the group: during its own stop kafkajs reports a commit as successful without sending it
 * (docs/kafkajs.md, "Commit before the stop").
 */
import type { EpochMs } from "@postrider/core";
import type { Committer } from "../offsets/committer.ts";
import { sleep, within, type Clock } from "@postrider/runtime";
import type { RecordWork } from "./record-work.ts";

/** The last part of the time before the deadline, kept for output, commit and leaving the group, ms. At most a quarter of that time. */
export const RESERVE_MS = 5000;
/** Between two assignments nothing can be committed. After this pause we try again, ms: the next assignment may have come. */
const COMMIT_RETRY_MS = 50;

interface Bounds {
  readonly deadline: EpochMs;
  readonly clock: Pick<Clock, "now">;
}

/** Resolves when every record that was started is done and committed, or at the deadline. */
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

/** Resolves when `work` does, or at the deadline. */
async function until(
  work: Promise<void>,
  { deadline, clock }: Bounds,
): Promise<void> {
  await within(work, deadline - clock.now());
}
