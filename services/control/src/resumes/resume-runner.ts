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
  type Meter,
} from "@postrider/runtime";
import type { Ownership, Tenure } from "../writer/ownership.ts";
import type { RunMemory } from "./resume-run.ts";
import type { ResumeStore } from "./resume-store.ts";
import { createSlots, type InSlot } from "./slots.ts";

/** How many runs read `dead-letters` at the same time: each has a consumer of its own, with a fetched batch or two in memory. */
const MAX_READING = 4;
/** After the first failed round; twice as long after each further one. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MEASURE_EVERY_MS = 5_000;

export function createResumeRunner(options: {
  readonly ownership: Pick<Ownership, "onTenure" | "tenure">;
  readonly store: Pick<ResumeStore, "get" | "running" | "onChange">;
  readonly run: (
    of: { readonly endpointId: string; readonly id: string },
    context: {
      readonly signal: AbortSignal;
      readonly inSlot: InSlot;
      readonly memory: RunMemory;
    },
  ) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** The wait after a first failed round, ms. Default 1,000. */
  readonly retryMs?: number;
}): Lifecycle {
  const { ownership, store, clock, log, meter, retryMs = RETRY_MS } = options;
  const runningCount = meter.gauge(
    "postrider_resumes_running",
    "Resumes that are running, seen by the writer of endpoints; 0 elsewhere.",
  );
  const oldestSeconds = meter.gauge(
    "postrider_resume_oldest_seconds",
    "Age of the oldest running resume, seen by the writer of endpoints; 0 elsewhere, and where none runs. It grows while dispatchers are away or behind.",
  );
  const failedRounds = meter.counter(
    "postrider_resume_failed_rounds_total",
    "Rounds of a resume that failed, and are tried again; the log says why (`resume.failed`).",
  );
  const inSlot = createSlots(MAX_READING);
  const closing = new AbortController();
  const runs = new Map<string, Promise<void>>();

  /** Runs the endpoint's resume, and those that follow while it runs, until none is running or the tenure is over. */
  async function work(endpointId: string, tenure: Tenure): Promise<void> {
    const signal = AbortSignal.any([tenure.ended, closing.signal]);
    let memory: RunMemory = { shownAt: null, deliveriesEnd: null };
    let last = store.get(endpointId);
    let failures = 0;
    while (!signal.aborted) {
      const resume = store.get(endpointId);
      if (resume?.state !== "running") return;
      if (resume.id !== last?.id)
        memory = { shownAt: null, deliveriesEnd: null };
      last = resume;
      try {
        await options.run(resume, { signal, inSlot, memory });
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        // A round that stored something has got on.
        failures = store.get(endpointId) === resume ? failures + 1 : 1;
        failedRounds.inc();
        log.warn("resume.failed", {
          endpointId,
          error: String(error),
          failures,
        });
        const waitMs = Math.min(MAX_RETRY_MS, retryMs * 2 ** (failures - 1));
        await sleep(waitMs, { signal });
      }
    }
  }

  function measure(): void {
    const running = ownership.tenure() === null ? [] : store.running();
    const now = clock.now();
    runningCount.set(running.length);
    oldestSeconds.set(
      running.reduce(
        (age, { startedAt }) =>
          Math.max(age, (now - (startedAt ?? now)) / 1_000),
        0,
      ),
    );
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

  let timer: NodeJS.Timeout | null = null;
  return {
    async start() {
      measure();
      timer ??= setInterval(measure, MEASURE_EVERY_MS).unref();
    },
    async stop(deadline: EpochMs) {
      if (timer !== null) clearInterval(timer);
      closing.abort();
      await within(Promise.all(runs.values()), deadline - clock.now());
    },
  };
}
