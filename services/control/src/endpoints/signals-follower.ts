/**
 * Runs the stage on `signals` only while this process is the owner, with one runner per tenure. A follower never joins the
 * group, so no signal waits in a process that may not act on it. Signals that were unfinished when a tenure ended are
 * uncommitted; the next owner's runner reads them again.
 */
import type { EpochMs } from "@postrider/core";
import type { StageRunner } from "@postrider/messaging";
import type { Clock, Lifecycle, Log } from "@postrider/runtime";
import type { Ownership, Tenure } from "../writer/ownership.ts";

/** Short, because nothing can be finished after the end of a tenure: its writes fail anyway. */
const STOP_WITHIN_MS = 2_000;

export interface SignalsFollower extends Lifecycle {
  /** The runner of the current tenure; null without one. */
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

  /** One runner at a time: a tenure's runner starts only after the runner before it has left the group. */
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

  // Registered here, not in `start`: ownership starts before this part, and the first tenure may begin while it does.
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
