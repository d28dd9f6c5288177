/**
 * Works off running resumes while this process is the owner: one run for each endpoint at a time. A run ends with the tenure;
 * the next owner finds the resume in `control` and goes on from its last checkpoint. A run that fails is tried again.
 */
import type { EpochMs } from "@postrider/core";
import {
  sleep,
  within,
  type Clock,
  type Lifecycle,
  type Log,
} from "@postrider/runtime";
import type { Ownership, Tenure } from "../writer/ownership.ts";
import type { InSlot } from "./resume-run.ts";
import type { ResumeStore } from "./resume-store.ts";

/** How many runs read `dead-letters` at the same time: each has a consumer of its own, with a fetched batch or two in memory. */
const MAX_READING = 4;
const RETRY_MS = 1_000;

export function createResumeRunner(options: {
  readonly ownership: Pick<Ownership, "onTenure" | "tenure">;
  readonly store: Pick<ResumeStore, "get" | "running" | "onChange">;
  readonly run: (
    of: { readonly endpointId: string; readonly id: string },
    context: { readonly signal: AbortSignal; readonly inSlot: InSlot },
  ) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}): Lifecycle {
  const { ownership, store, clock, log } = options;
  const inSlot = createSlots(MAX_READING);
  const closing = new AbortController();
  const runs = new Map<string, Promise<void>>();

  /** Runs the endpoint's resume, and those that follow while it runs, until none is running or the tenure is over. */
  async function work(endpointId: string, tenure: Tenure): Promise<void> {
    const signal = AbortSignal.any([tenure.ended, closing.signal]);
    while (!signal.aborted) {
      const resume = store.get(endpointId);
      if (resume?.state !== "running") return;
      try {
        await options.run(resume, { signal, inSlot });
      } catch (error) {
        if (signal.aborted) return;
        log.warn("resume.failed", { endpointId, error: String(error) });
        await sleep(RETRY_MS, { signal });
      }
    }
  }

  function begin(endpointId: string): void {
    const tenure = ownership.tenure();
    if (tenure === null || closing.signal.aborted || runs.has(endpointId))
      return;
    if (store.get(endpointId)?.state !== "running") return;
    const run = work(endpointId, tenure).finally(() => {
      runs.delete(endpointId);
      // A new tenure may have begun, or a new resume, while this run was ending.
      begin(endpointId);
    });
    runs.set(endpointId, run);
  }

  store.onChange(begin);
  ownership.onTenure(() => {
    for (const { endpointId } of store.running()) begin(endpointId);
  });

  return {
    async start() {},
    async stop(deadline: EpochMs) {
      closing.abort();
      await within(Promise.all(runs.values()), deadline - clock.now());
    },
  };
}

/** At most `count` pieces of work at a time; the others wait in order. */
function createSlots(count: number): InSlot {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
