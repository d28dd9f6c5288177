/**
 * Runs the stage on `signals` while, and only while, this process is the owner: one runner per tenure. A follower never
 * joins the group, so no signal waits with a process that may not act on it; what the owner had not finished when its
 * tenure ended is uncommitted, and the next owner's runner reads it again.
 */
import type { EpochMs } from "@postrider/core";
import type { StageRunner } from "@postrider/messaging";
import type { Clock, Lifecycle, Log } from "@postrider/runtime";
import type { Ownership, Tenure } from "./ownership.ts";

/** A tenure that has ended leaves nothing to finish: its writes fail anyway. */
const STOP_WITHIN_MS = 2_000;

export interface SignalsFollower extends Lifecycle {
  /** The runner of the tenure now. */
  runner(): StageRunner | null;
}

export function createSignalsFollower(options: {
  readonly ownership: Pick<Ownership, "onTenure">;
  readonly createRunner: () => StageRunner;
  readonly clock: Clock;
  readonly log: Log;
}): SignalsFollower {
  const { clock, log } = options;
  let before: Promise<void> = Promise.resolve();
  let isStopped = false;
  let current: {
    runner: StageRunner;
    stop(deadline: EpochMs): Promise<void>;
  } | null = null;

  /** One runner at a time: the next tenure's starts after the last one's has left the group. */
  async function follow(tenure: Tenure): Promise<void> {
    if (tenure.ended.aborted || isStopped) return;
    const runner = options.createRunner();
    const over = Promise.withResolvers<void>();
    let stopping: Promise<void> | undefined;
    const stop = (deadline: EpochMs): Promise<void> =>
      (stopping ??= runner
        .stop(deadline)
        .catch((error: unknown) => {
          log.error("signals.stopFailed", { error: String(error) });
        })
        .finally(over.resolve));
    const mine = { runner, stop };
    current = mine;
    tenure.ended.addEventListener(
      "abort",
      () => void stop(clock.now() + STOP_WITHIN_MS),
      { once: true },
    );
    runner.start().catch((error: unknown) => {
      log.error("signals.startFailed", { error: String(error) });
    });
    await over.promise;
    if (current === mine) current = null;
  }

  // Here and not in `start`: the first tenure begins while ownership starts, and that is before this part does.
  options.ownership.onTenure((tenure) => {
    before = before.then(() => follow(tenure));
  });

  return {
    runner: () => current?.runner ?? null,
    async start() {},
    async stop(deadline) {
      isStopped = true;
      await current?.stop(deadline);
      await before;
    },
  };
}
