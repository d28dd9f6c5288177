/**
 * The offsets of a table's topic that could not be read. Nobody knows which keys their records change, so the table may lack
 * something, or hold an old value, until they are read after all or leave the log. Pure bookkeeping.
 */
import type { FetchedBatch } from "../ports.ts";
import {
  lastOffsetOf,
  type RawRecord,
  type UnreadableReason,
} from "../record.ts";

export interface Hole {
  readonly first: number;
  readonly last: number;
  readonly reason: UnreadableReason;
  readonly why: string;
}

export class TableHoles {
  /** By partition, in the order of the log; no empty lists. */
  readonly #holes = new Map<number, readonly Hole[]>();

  get isEmpty(): boolean {
    return this.#holes.size === 0;
  }

  partitions(): number[] {
    return [...this.#holes.keys()];
  }

  has(partition: number): boolean {
    return this.#holes.has(partition);
  }

  /** Where to read again; null without a hole. */
  firstOf(partition: number): number | null {
    return this.#holes.get(partition)?.[0]?.first ?? null;
  }

  /** Takes a fetch into account: it closes what it could read of a hole, and opens others. Returns those not known before. */
  read(batch: FetchedBatch): Hole[] {
    const { partition, fetchOffset, lastOffset, records } = batch;
    const known = this.#holes.get(partition) ?? [];
    const opened = records.flatMap(holeOf);
    if (known.length === 0 && opened.length === 0) return [];
    // What lies before the fetch is not in it.
    const left = known.flatMap((hole) =>
      fetchOffset <= hole.first ? above(hole, lastOffset) : hole,
    );
    const all = [...left, ...opened].sort((a, b) => a.first - b.first);
    this.#set(partition, all);
    return opened.filter(
      ({ first, last }) =>
        !known.some((hole) => hole.first <= first && last <= hole.last),
    );
  }

  /** The log begins here now: what lay below is nobody's any more. */
  cutBelow(partition: number, start: number): void {
    const known = this.#holes.get(partition) ?? [];
    this.#set(
      partition,
      known.flatMap((hole) => above(hole, start - 1)),
    );
  }

  /** The partition is read anew from its log's start, which shows what is unreadable. */
  forget(partition: number): void {
    this.#holes.delete(partition);
  }

  /** As a sentence; null without a hole. */
  describe(): string | null {
    if (this.isEmpty) return null;
    const places = [...this.#holes].flatMap(([partition, holes]) =>
      holes.map(
        ({ first, last, why }) =>
          `partition ${partition}, offsets ${first} to ${last} (${why})`,
      ),
    );
    const more = places.length > 3 ? ` and ${places.length - 3} more` : "";
    return `cannot be read at ${places.slice(0, 3).join("; ")}${more}`;
  }

  #set(partition: number, holes: readonly Hole[]): void {
    if (holes.length === 0) this.#holes.delete(partition);
    else this.#holes.set(partition, holes);
  }
}

/** Whether the record stands for records that could not be read. One with too many headers does not: its batch was read, so its key is known. */
export function standsForHole({ unreadable }: RawRecord): boolean {
  return unreadable !== undefined && unreadable.reason !== "too_many_headers";
}

/** Whether another replica may have the batch whole. If not, its producer wrote it as it is: its checksum is right. */
export function isDamage(reason: UnreadableReason): boolean {
  return reason === "checksum" || reason === "framing";
}

function holeOf(record: RawRecord): Hole[] {
  const { offset: first, unreadable } = record;
  if (unreadable === undefined || !standsForHole(record)) return [];
  const { reason, detail: why } = unreadable;
  return [{ first, last: lastOffsetOf(record), reason, why }];
}

/** What of the hole lies above an offset. */
function above(hole: Hole, offset: number): Hole[] {
  return hole.last <= offset
    ? []
    : [{ ...hole, first: Math.max(hole.first, offset + 1) }];
}
