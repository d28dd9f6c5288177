/** Works off running replays while this process is the owner. */
import type { EpochMs } from "@postrider/core";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import { createDurableRuns, type DurableRuns } from "../writer/durable-runs.ts";
import type { Ownership } from "../writer/ownership.ts";
import { createSlots, type InSlot } from "../writer/slots.ts";
import type { ReplayStore } from "./replay-store.ts";

/** How many send at the same time: each has a consumer of its own, and in memory two chunks of dead letters and its last fetches. */
const MAX_SENDING = 4;
const MEASURE_EVERY_MS = 5_000;

export function createReplayRunner(options: {
  readonly ownership: Pick<Ownership, "onTenure" | "tenure">;
  readonly store: Pick<ReplayStore, "get" | "all" | "note" | "onChange">;
  readonly run: (
    id: string,
    context: {
      readonly signal: AbortSignal;
      readonly inSlot: InSlot;
      /** Whether a run of this replay has not ended yet. */
      readonly hasRun: (id: string) => boolean;
    },
  ) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** The wait after a first failed round, ms. Default 1,000. */
  readonly retryMs?: number;
}): Lifecycle {
  const { ownership, store, clock, log, meter } = options;
  const runningCount = meter.gauge(
    "postrider_replays_running",
    "Replays that are running, seen by the writer of endpoints; 0 elsewhere.",
  );
  const failedRounds = meter.counter(
    "postrider_replay_failed_rounds_total",
    "Rounds of a replay that failed, and are tried again; the log says why (`replay.failed`).",
  );
  const inSlot = createSlots(MAX_SENDING);
  const running = () => store.all().filter(({ state }) => state === "running");

  const runs: DurableRuns = createDurableRuns({
    ownership,
    clock,
    retryMs: options.retryMs,
    running(id) {
      const replay = store.get(id);
      return replay?.state === "running" ? replay : undefined;
    },
    keys: () => running().map(({ id }) => id),
    run: ({ id }, signal) =>
      options.run(id, { signal, inSlot, hasRun: (other) => runs.has(other) }),
    failed(id, error, failures) {
      failedRounds.inc();
      log.warn("replay.failed", { id, error: String(error), failures });
      const why = error instanceof Error ? error.message : String(error);
      // Best effort: where the note cannot be written, the log has it.
      store.note(id, `tries again: ${why}`).catch(() => undefined);
    },
  });
  store.onChange((id) => runs.begin(id));

  function measure(): void {
    runningCount.set(ownership.tenure() === null ? 0 : running().length);
  }

  let timer: NodeJS.Timeout | null = null;
  return {
    async start() {
      measure();
      timer ??= setInterval(measure, MEASURE_EVERY_MS).unref();
    },
    async stop(deadline: EpochMs) {
      if (timer !== null) clearInterval(timer);
      await runs.stop(deadline);
    },
  };
}
