/**
 * How full a partition's window is (docs/architecture.md, "The runner").
 *
 *     share of the tightest limit   0 ─────── relaxed ─────── 1 pressed ─────── 1.15 full
 *     with relief                             no longer pressed   relief works      nothing is taken, fetching pauses
 *     without                                 no longer full      full
 *
 * Limits: records, bytes, and the metadata's length. Relief has the room between pressed and full to work in, so that a
 * slow lane is relieved before its partition pauses; the byte budget is a bound of memory and so is the end of that room.
 */
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import type { RunnerLimits } from "./runner-limits.ts";

const RELAXED = 0.75;
const ROOM_FOR_RELIEF = 1.15;

export interface WindowLimits {
  readonly limits: RunnerLimits;
  readonly bytesPerPartition: number;
  /** The stage can defer. */
  readonly hasRelief: boolean;
}

/** Notes whether the partition is pressed and full now; each stays set until it has relaxed. It is full, too, while a batch that cannot be read is no dead letter yet. */
export function measure(partition: OwnedPartition, window: WindowLimits): void {
  const share = shareOf(partition, window);
  const fullFrom = window.hasRelief ? ROOM_FOR_RELIEF : 1;
  const fullTo = window.hasRelief ? 1 : RELAXED;
  partition.notePressure(
    share >= (partition.isPressed ? RELAXED : 1),
    partition.isBehindRange || share >= (partition.isFull ? fullTo : fullFrom),
  );
}

/** 1 is where pressure begins. */
function shareOf(
  partition: OwnedPartition,
  { limits, bytesPerPartition, hasRelief }: WindowLimits,
): number {
  const bytes = hasRelief
    ? bytesPerPartition / ROOM_FOR_RELIEF
    : bytesPerPartition;
  // What the metadata lists from an earlier life must be read, or it would never shrink.
  const chars = partition.isRestoring ? 0 : partition.metadataChars();
  return Math.max(
    partition.openInMemory / limits.maxOpenPerPartition,
    partition.bytes / bytes,
    chars / limits.metadataPressureChars,
  );
}
