/** Runs relief when a window is under pressure: the records that `relieve` chooses leave their queues and go to a tier. */
import type { MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import type { Lanes } from "../lanes/lanes.ts";
import type { Output } from "../output-port.ts";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import { farTurns } from "../lanes/far-turns.ts";
import type { Relieved } from "../lanes/lane.ts";
import { relieve } from "../lanes/relief.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import { Saturation, type LoopUse } from "../lanes/saturation.ts";
import type { Blocked } from "./start-gate.ts";
import type { OpenRecord } from "./open-record.ts";

export interface ReliefValveOptions<In> {
  readonly limits: RunnerLimits;
  readonly lanes: Lanes<OpenRecord<In>>;
  /** A partition's current share of the byte budget. */
  readonly bytesPerPartition: () => number;
  /** Sends a record that has left its queue to a tier until its slot. Null if the stage has no relief. */
  readonly defer: ((relieved: Relieved<OpenRecord<In>>) => void) | null;
  readonly hasTurn: (entry: OpenRecord<In>) => boolean;
  readonly output: Pick<Output, "unacknowledged">;
  readonly clock: Clock;
  readonly loopUse: () => LoopUse;
}

/** At most so many records are deferred at once, and the next ones not before the interval is over. */
const RELIEF_RECORDS = 500;
const RELIEF_INTERVAL_MS = 20;
/** The interval is at least so many times what the choice took. It looks at every lane: with 50,000 lanes that takes longer than the shortest interval, and nothing else would be done. */
const TIMES_TAKEN = 5;
/** A record of a throttled lane whose turn is further away than this does not wait in memory, ms, even if there is room: it would keep its offset open, and its wait would count as age. One tier, so that a short wait is one hop. */
const FAR_TURN_MS = 32_000;
/** Throttled lanes are looked at so often, ms. */
const FAR_TURNS_EVERY_MS = 1_000;
/** After a stall shorter than this lanes are not measured anew, ms. `Saturation` already spares lanes then; and if every short stall restarted the measures, no lane would ever be measured for the second that judging it needs. */
const SHORTEST_STALL_MS = 200;

export class ReliefValve<In> {
  readonly #options: ReliefValveOptions<In>;
  readonly #saturation: Saturation;
  #nextReliefAt: MonotonicMs = -Infinity;
  #farTurnsAt = -Infinity;
  #stalledSince: MonotonicMs | null = null;

  constructor(options: ReliefValveOptions<In>) {
    this.#options = options;
    this.#saturation = new Saturation(options.loopUse);
  }

  /** Notes the gate's answer. After a stall of this process the lanes are measured anew, so that they are not judged by it. */
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

  /** Records are ready, but as many handlers run as the process allows. */
  limited(): void {
    this.#saturation.limited(this.#options.clock.monotonic());
  }

  /** Call about every 50 ms. */
  sample(): void {
    this.#saturation.sample(this.#options.clock.monotonic());
  }

  /** Defers as many records of slow lanes as the partitions under pressure need to get rid of. If no lane is slow, none; fetching pauses when the window is full. */
  relieve(): void {
    const { clock, lanes, defer, hasTurn } = this.#options;
    const monotonic = clock.monotonic();
    if (defer === null || monotonic < this.#nextReliefAt) return;
    const chosen = new Map<OwnedPartition, Sum>();
    const relieved = relieve(lanes.all(), {
      now: clock.now(),
      monotonic,
      load: {
        isSaturated: this.#saturation.isSaturated(monotonic),
        ratePerSecond: lanes.ratePerSecond(monotonic),
      },
      wants: (entry) => this.#wants(entry, chosen),
      hasTurn,
      most: this.#most(),
    });
    const takenMs = clock.monotonic() - monotonic;
    this.#nextReliefAt =
      monotonic + Math.max(RELIEF_INTERVAL_MS, TIMES_TAKEN * takenMs);
    this.#handOver(relieved);
  }

  /** Defers what waits in throttled lanes and whose turn is far away. Call about every 50 ms. */
  farTurns(): void {
    const { clock, lanes, defer, hasTurn } = this.#options;
    const monotonic = clock.monotonic();
    if (defer === null || monotonic - this.#farTurnsAt < FAR_TURNS_EVERY_MS)
      return;
    const most = this.#most();
    const request = { now: clock.now(), monotonic, beyondMs: FAR_TURN_MS };
    const far: Relieved<OpenRecord<In>>[] = [];
    for (const lane of lanes.throttled()) {
      const left = most - far.length;
      const wants = () => true;
      far.push(...farTurns(lane, { ...request, hasTurn, wants, most: left }));
    }
    // If there may be more, the next call goes on.
    if (far.length < most) this.#farTurnsAt = monotonic;
    this.#handOver(far);
  }

  /** How many records may be deferred now. */
  #most(): number {
    const { limits, output } = this.#options;
    const room = limits.maxUnacknowledged - output.unacknowledged();
    return Math.max(0, Math.min(RELIEF_RECORDS, room));
  }

  #handOver(relieved: readonly Relieved<OpenRecord<In>>[]): void {
    const { lanes, defer } = this.#options;
    // Remove all from their queues before the first deferral: a deferral that ends at once makes room, and then `pump` could start a record that is chosen here.
    for (const { entry } of relieved) lanes.remove(entry);
    for (const each of relieved) defer?.(each);
  }

  /** Whether the record's partition must still get rid of records: until its window is half full. If relief stopped just below the limit, it would be wanted again at once. */
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
