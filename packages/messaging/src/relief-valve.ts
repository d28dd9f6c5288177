/** Opens when a window is under pressure: the records that relief chooses leave their queues for their slots. */
import type { Clock } from "./effects.ts";
import type { Lanes } from "./lanes.ts";
import type { Output } from "./output-port.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import type { RecordFlow } from "./record-flow.ts";
import type { RecordIntake } from "./record-intake.ts";
import { relieve } from "./relief.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import type { Stage } from "./stage.ts";
import type { Unfinished } from "./unfinished.ts";

export interface ReliefValveOptions<In> {
  readonly stage: Pick<Stage<In>, "defer">;
  readonly limits: RunnerLimits;
  readonly lanes: Lanes<Unfinished<In>>;
  readonly intake: Pick<RecordIntake<In>, "bytesPerPartition">;
  readonly flow: Pick<RecordFlow<In>, "defer">;
  readonly output: Pick<Output, "unacknowledged">;
  readonly clock: Clock;
}

/** Deferred at once, at most; and not again before the interval is over. */
const RELIEF_RECORDS = 500;
const RELIEF_INTERVAL_MS = 20;

export class ReliefValve<In> {
  readonly #options: ReliefValveOptions<In>;
  #reliefAt = -Infinity;

  constructor(options: ReliefValveOptions<In>) {
    this.#options = options;
  }

  /** Of the partitions under pressure, as many records of slow lanes as it takes. None: their fetching will pause. */
  relieve(): void {
    const { stage, clock, output, lanes, limits, flow } = this.#options;
    const monotonic = clock.monotonic();
    const isEarly = monotonic - this.#reliefAt < RELIEF_INTERVAL_MS;
    if (stage.defer === undefined || isEarly) return;
    this.#reliefAt = monotonic;
    const chosen = new Map<OwnedPartition<In>, Sum>();
    const relieved = relieve(lanes.all(), {
      now: clock.now(),
      monotonic,
      wants: (entry) => this.#wants(entry, chosen),
      most: Math.min(
        RELIEF_RECORDS,
        limits.maxUnacknowledged - output.unacknowledged(),
      ),
    });
    for (const { entry, slotAt } of relieved) {
      lanes.remove(entry);
      void flow.defer(entry, slotAt);
    }
  }

  /** Down to half of what the window may hold: a little less, and relief would be wanted again at once. */
  #wants(entry: Unfinished<In>, chosen: Map<OwnedPartition<In>, Sum>): boolean {
    const { partition } = entry;
    const { limits, intake } = this.#options;
    if (!partition.isPressed) return false;
    let sum = chosen.get(partition);
    if (sum === undefined)
      chosen.set(partition, (sum = { records: 0, bytes: 0 }));
    const held = partition.held - partition.deferring - sum.records;
    const bytes = partition.bytes - partition.deferringBytes - sum.bytes;
    const wants =
      held > limits.maxOpenPerPartition / 2 ||
      bytes > intake.bytesPerPartition / 2 ||
      partition.metadataChars() >= limits.metadataPressureChars;
    if (wants) {
      sum.records++;
      sum.bytes += entry.bytes;
    }
    return wants;
  }
}

interface Sum {
  records: number;
  bytes: number;
}
