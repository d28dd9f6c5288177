/** Works off running replays while this process is the owner. */
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import { createDurableRuns, type DurableRuns } from "../writer/durable-runs.ts";
import type { Ownership } from "../writer/ownership.ts";
import { createSlots, type InSlot } from "../writer/slots.ts";
import type { ReplayStore } from "./replay-store.ts";
import { Standstill } from "./standstill.ts";

/** How many send at the same time: each has a consumer of its own, and in memory two chunks of dead letters and its last fetches. */
const MAX_SENDING = 4;

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
  meter.gauge(
    "postrider_replays_running",
    "Replays that are running, seen by the writer of endpoints; 0 elsewhere.",
    [],
    (gauge) => gauge.set(runningHere().length),
  );
  const standstill = new Standstill();
  meter.gauge(
    "postrider_replay_standstill_seconds",
    "How long the running replay that has stood still longest has got no further, seen by the writer of endpoints; 0 elsewhere, and where none runs. One that waits its turn after another that runs is left out.",
    [],
    (gauge) => {
      const all = ownership.tenure() === null ? [] : store.all();
      gauge.set(standstill.longestMs(all, clock.monotonic()) / 1_000);
    },
  );
  const failedRounds = meter.counter(
    "postrider_replay_failed_rounds_total",
    "Rounds of a replay that failed, and are tried again; the log says why (`replay.failed`).",
  );
  const inSlot = createSlots(MAX_SENDING);
  const running = () => store.all().filter(({ state }) => state === "running");
  const runningHere = () => (ownership.tenure() === null ? [] : running());

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

  return { start: () => Promise.resolve(), stop: runs.stop };
}
