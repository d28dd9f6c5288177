import type { StageRunner } from "@postrider/messaging";
import type { Check, Lifecycle } from "@postrider/runtime";
import type { RolePart } from "../shared-parts.ts";

export interface SourceRunners extends Lifecycle {
  health(): ReturnType<RolePart["health"]>;
}

/**
 * The runners of the configured sources as one part. The topics belong to others: one that does not exist, or may not be read,
 * keeps neither `events` nor the door waiting. Its runner waits for it, and the health says so without failing readiness.
 */
export function createSourceRunners(
  runners: readonly StageRunner[],
): SourceRunners {
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
