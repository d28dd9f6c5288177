/** Opens when a window is under pressure: the records that relief chooses leave their queues for their slots. */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import type { Lanes } from "../lanes/lanes.ts";
import type { Output } from "../output-port.ts";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import { relieve } from "../lanes/relief.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import { Saturation, type LoopUse } from "../lanes/saturation.ts";
import type { Blocked } from "./start-gate.ts";
import type { OpenRecord } from "./open-record.ts";

export interface ReliefValveOptions<In> {
  readonly limits: RunnerLimits;
  readonly lanes: Lanes<OpenRecord<In>>;
  /** A partition's share of the byte budget now. */
  readonly bytesPerPartition: () => number;
  /** Sends a record, which is in no queue any more, to its slot; null: the stage has no relief. */
  readonly defer: ((entry: OpenRecord<In>, slotAt: EpochMs) => void) | null;
  readonly output: Pick<Output, "unacknowledged">;
  readonly clock: Clock;
  readonly loopUse: () => LoopUse;
}

/** Deferred at once, at most; and not again before the interval is over. */
const RELIEF_RECORDS = 500;
const RELIEF_INTERVAL_MS = 20;
/** A shorter stall of ours is within what saturation forgives, and would keep lanes from ever being measured, ms. */
const SHORTEST_STALL_MS = 200;

export class ReliefValve<In> {
  readonly #options: ReliefValveOptions<In>;
  readonly #saturation: Saturation;
  #reliefAt = -Infinity;
  #stalledSince: MonotonicMs | null = null;

  constructor(options: ReliefValveOptions<In>) {
    this.#options = options;
    this.#saturation = new Saturation(options.loopUse);
  }

  /** What the gate says now. After a stall of ours the lanes are measured anew: it is not held against them. */
  gated(blocked: Blocked | null): void {
    if (blocked === null && this.#stalledSince === null) return;
    const { clock, lanes } = this.#options;
    const now = clock.monotonic();
    if (blocked === "output" || blocked === "commit")
      this.#saturation.limited(now);
    if (blocked !== null) this.#stalledSince ??= now;
    else {
      if (now - this.#stalledSince! >= SHORTEST_STALL_MS)
        lanes.restartMeasures(now);
      this.#stalledSince = null;
    }
  }

  /** Records are ready, and as many handlers are at work as may be. */
  limited(): void {
    this.#saturation.limited(this.#options.clock.monotonic());
  }

  /** Call about every 50 ms. */
  sample(): void {
    this.#saturation.sample(this.#options.clock.monotonic());
  }

  /** Of the partitions under pressure, as many records of slow lanes as it takes. None: their fetching will pause. */
  relieve(): void {
    const { clock, output, lanes, limits, defer } = this.#options;
    const monotonic = clock.monotonic();
    const isEarly = monotonic - this.#reliefAt < RELIEF_INTERVAL_MS;
    if (defer === null || isEarly) return;
    this.#reliefAt = monotonic;
    const chosen = new Map<OwnedPartition, Sum>();
    const relieved = relieve(lanes.all(), {
      now: clock.now(),
      monotonic,
      load: {
        isSaturated: this.#saturation.isSaturated(monotonic),
        ratePerSecond: lanes.ratePerSecond(monotonic),
      },
      wants: (entry) => this.#wants(entry, chosen),
      most: Math.min(
        RELIEF_RECORDS,
        limits.maxUnacknowledged - output.unacknowledged(),
      ),
    });
    // All leave their queues before the first is deferred: a deferral that ends at once makes room, and what follows starts.
    for (const { entry } of relieved) lanes.remove(entry);
    for (const { entry, slotAt } of relieved) defer(entry, slotAt);
  }

  /** Down to half of what the window may hold: a little less, and relief would be wanted again at once. */
  #wants(entry: OpenRecord<In>, chosen: Map<OwnedPartition, Sum>): boolean {
    const { partition } = entry;
    const { limits, bytesPerPartition } = this.#options;
    if (!partition.isPressed) return false;
    let sum = chosen.get(partition);
    if (sum === undefined)
      chosen.set(partition, (sum = { records: 0, bytes: 0 }));
    const openInMemory =
      partition.openInMemory - partition.deferring - sum.records;
    const bytes = partition.bytes - partition.deferringBytes - sum.bytes;
    const wants =
      openInMemory > limits.maxOpenPerPartition / 2 ||
      bytes > bytesPerPartition() / 2 ||
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
