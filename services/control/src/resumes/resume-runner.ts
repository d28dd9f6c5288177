/** Works off running resumes while this process is the owner: one run for each endpoint at a time. */
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import { createDurableRuns } from "../writer/durable-runs.ts";
import type { Ownership } from "../writer/ownership.ts";
import { createSlots, type InSlot } from "../writer/slots.ts";
import type { RunMemory } from "./resume-run.ts";
import type { ResumeStore } from "./resume-store.ts";

/** How many runs read `dead-letters` at the same time: each has a consumer of its own, with a fetched batch or two in memory. */
const MAX_READING = 4;

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
  const { ownership, store, clock, log, meter } = options;
  const runningHere = () =>
    ownership.tenure() === null ? [] : store.running();
  meter.gauge(
    "postrider_resumes_running",
    "Resumes that are running, seen by the writer of endpoints; 0 elsewhere.",
    [],
    (gauge) => gauge.set(runningHere().length),
  );
  meter.gauge(
    "postrider_resume_oldest_seconds",
    "Age of the oldest running resume, seen by the writer of endpoints; 0 elsewhere, and where none runs. It grows while dispatchers are away or behind.",
    [],
    (gauge) => {
      const now = clock.now();
      const ages = runningHere().map(
        ({ startedAt }) => now - (startedAt ?? now),
      );
      gauge.set(Math.max(0, ...ages) / 1_000);
    },
  );
  const failedRounds = meter.counter(
    "postrider_resume_failed_rounds_total",
    "Rounds of a resume that failed, and are tried again; the log says why (`resume.failed`).",
  );
  const inSlot = createSlots(MAX_READING);
  /** Of each endpoint's running resume, so that its next try knows it. */
  const memories = new Map<string, RunMemory & { readonly id: string }>();

  function memoryOf(endpointId: string, id: string): RunMemory {
    const known = memories.get(endpointId);
    if (known?.id === id) return known;
    const memory = { id, shownAt: null, deliveriesEnd: null };
    memories.set(endpointId, memory);
    return memory;
  }

  const runs = createDurableRuns({
    ownership,
    clock,
    retryMs: options.retryMs,
    running(endpointId) {
      const resume = store.get(endpointId);
      if (resume?.state === "running") return resume;
      memories.delete(endpointId);
      return undefined;
    },
    keys: () => store.running().map(({ endpointId }) => endpointId),
    run: (resume, signal) =>
      options.run(resume, {
        signal,
        inSlot,
        memory: memoryOf(resume.endpointId, resume.id),
      }),
    failed(endpointId, error, failures) {
      failedRounds.inc();
      log.warn("resume.failed", {
        endpointId,
        error: String(error),
        failures,
      });
    },
  });

  store.onChange(runs.begin);

  return { start: () => Promise.resolve(), stop: runs.stop };
}
