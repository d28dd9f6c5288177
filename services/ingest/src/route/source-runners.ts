import type { StageRunner } from "@postrider/messaging";
import type { Check, Lifecycle, Meter } from "@postrider/runtime";
import type { RolePart } from "../shared-parts.ts";

export interface SourceRunners extends Lifecycle {
  health(): ReturnType<RolePart["health"]>;
}

export interface SourceRunner {
  /** The runner's name, which its metrics have as `stage`. */
  readonly name: string;
  readonly runner: StageRunner;
}

/**
 * The runners of the configured sources as one part. The topics belong to others: one that does not exist, or may not be read,
 * keeps neither `events` nor the door waiting. Its runner waits for it, and health and metrics say so without failing readiness.
 */
export function createSourceRunners(
  sources: readonly SourceRunner[],
  meter: Pick<Meter, "gauge">,
): SourceRunners {
  const runners = sources.map(({ runner }) => runner);
  meter.gauge(
    "postrider_source_degraded",
    "1 while this process does not read a configured source as it should: /readyz says why, as `degraded`, and stays 200.",
    ["stage"],
    (gauge) => {
      for (const { name, runner } of sources) {
        const isRead = runner.health().ready.every(({ isOk }) => isOk);
        gauge.set(isRead ? 0 : 1, { stage: name });
      }
    },
  );
  return {
    start() {
      for (const runner of runners) void runner.start();
      return Promise.resolve();
    },
    async stop(deadline) {
      await Promise.all(runners.map((runner) => runner.stop(deadline)));
    },
    health: () => ({
      live: runners.flatMap((runner) => runner.health().live),
      ready: runners.flatMap((runner) => runner.health().ready).map(degraded),
    }),
  };
}

/** Keeps readiness as it is, and reports the fault in the detail. */
export function degraded({ name, isOk, detail }: Check): Check {
  return { name, isOk: true, detail: isOk ? detail : `degraded: ${detail}` };
}
