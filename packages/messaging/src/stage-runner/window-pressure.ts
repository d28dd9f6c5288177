/**
 * How full a partition's window is (docs/architecture.md, "The runner").
 *
 *     share of the tightest limit   0 ─────── relaxed ─────── 1 pressed ─────── 1.15 full
 *     with relief                             no longer pressed   relief works      nothing is taken, fetching pauses
 *     without                                 no longer full      full
 *
 * The limits are records, bytes and the metadata's length. Relief works in the room between pressed and full, so that a slow
 * lane is relieved before its partition pauses. The byte budget bounds memory, so full begins exactly there, and pressed
 * below it.
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

/** Sets whether the partition is pressed and full now; each stays set until the window has relaxed. A partition is also full while a batch that cannot be read has no acknowledged dead letter yet. */
export function measure(partition: OwnedPartition, window: WindowLimits): void {
  const share = shareOf(partition, window);
  const fullFrom = window.hasRelief ? ROOM_FOR_RELIEF : 1;
  const fullTo = window.hasRelief ? 1 : RELAXED;
  partition.notePressure(
    share >= (partition.isPressed ? RELAXED : 1),
    partition.isBehindRange || share >= (partition.isFull ? fullTo : fullFrom),
  );
}

/** How full the window is, by its tightest limit. Pressure begins at 1. */
function shareOf(
  partition: OwnedPartition,
  { limits, bytesPerPartition, hasRelief }: WindowLimits,
): number {
  const bytes = hasRelief
    ? bytesPerPartition / ROOM_FOR_RELIEF
    : bytesPerPartition;
  // Restored records must be read before the metadata can shrink: its length must not stop reading until then.
  const chars = partition.isRestoring ? 0 : partition.metadataChars();
  return Math.max(
    partition.openInMemory / limits.maxOpenPerPartition,
    partition.bytes / bytes,
    chars / limits.metadataPressureChars,
  );
}
