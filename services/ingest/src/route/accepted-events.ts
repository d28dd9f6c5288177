/**
 * The duplicate window: the keys of events that were accepted lately, per partition of the source topic. It covers the
 * last `maxRecords` records or the last `maxBytes` bytes of keys and values, whichever is less. The runner's warm-up counts
 * the same bytes, so that the window is as large after a restart.
 *
 * Invariant: an entry holds the lowest known offset at which its key was accepted. A record is a repeat only if that offset
 * is lower than its own. So a record that is read again after a rebalance is never its own duplicate, and an event is still
 * delivered if its later repeat was finished first.
 */
import { ByPartition, type TopicPartition } from "@postrider/messaging";

export interface WindowLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** A record's position, and its key and value, of which only the size is used. */
export interface WindowRecord extends TopicPartition {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

interface Entry {
  offset: number;
  /** A checksum of what was accepted. */
  content: number;
  /** How many bytes of the partition had been seen before this record. */
  readonly bytesBefore: number;
}

interface PartitionWindow {
  readonly entries: Map<string, Entry>;
  /** Keys in order of arrival. The map's own order is not used: finding its first entry is slow, because it skips all deleted ones. */
  readonly order: string[];
  /** Index in `order` of the oldest key that is not evicted yet. */
  oldest: number;
  latestOffset: number;
  bytesSeen: number;
}

export class AcceptedEvents {
  readonly #limits: WindowLimits;
  readonly #windows = new ByPartition<PartitionWindow>();

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /**
   * Moves the window up to a record that could be decoded, whatever is decided about it. The bytes of a record at or below the
   * latest offset are not counted: its handler threw, and it is handled again, or it waited for its schema.
   */
  moveTo(record: WindowRecord): void {
    const window = this.#windowOf(record);
    if (record.offset <= window.latestOffset) return;
    window.latestOffset = record.offset;
    window.bytesSeen += bytesOf(record);
    this.#evict(window);
  }

  /** Whether the key was accepted at an earlier record of the same partition. */
  isRepeat(record: WindowRecord, key: string): boolean {
    const entry = this.#windowOf(record).entries.get(key);
    return entry !== undefined && entry.offset < record.offset;
  }

  /** Whether something else was accepted under the key: the repeat is then no repeat by its content. */
  isOther(record: WindowRecord, key: string, content: number): boolean {
    const entry = this.#windowOf(record).entries.get(key);
    return entry !== undefined && entry.content !== content;
  }

  /** `content`: a checksum of the event. */
  accept(record: WindowRecord, key: string, content: number): void {
    const window = this.#windowOf(record);
    const { offset } = record;
    const entry = window.entries.get(key);
    if (entry !== undefined) {
      if (offset >= entry.offset) return;
      entry.offset = offset;
      entry.content = content;
      return;
    }
    const bytesBefore = window.bytesSeen - bytesOf(record);
    window.entries.set(key, { offset, content, bytesBefore });
    window.order.push(key);
  }

  /** The partition was revoked: drops its window. */
  forget(partition: TopicPartition): void {
    this.#windows.delete(partition);
  }

  /** How many events are remembered, over all partitions. */
  get size(): number {
    let size = 0;
    for (const { entries } of this.#windows.values()) size += entries.size;
    return size;
  }

  #windowOf(partition: TopicPartition): PartitionWindow {
    let window = this.#windows.get(partition);
    if (window === undefined) {
      window = {
        entries: new Map(),
        order: [],
        oldest: 0,
        latestOffset: -1,
        bytesSeen: 0,
      };
      this.#windows.set(partition, window);
    }
    return window;
  }

  #evict(window: PartitionWindow): void {
    const { entries, order } = window;
    const lowestOffset = window.latestOffset - this.#limits.maxRecords;
    const lowestBytes = window.bytesSeen - this.#limits.maxBytes;
    for (; window.oldest < order.length; window.oldest += 1) {
      const key = order[window.oldest] ?? "";
      const entry = entries.get(key);
      const isWithin =
        entry !== undefined &&
        entry.offset >= lowestOffset &&
        entry.bytesBefore >= lowestBytes;
      if (isWithin) break;
      entries.delete(key);
    }
    if (window.oldest > 1_000 && window.oldest * 2 > order.length) {
      order.splice(0, window.oldest);
      window.oldest = 0;
    }
  }
}

function bytesOf({ key, value }: WindowRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}
