import type { MonotonicMs } from "@postrider/core";
import type { Lane, Queued } from "../lanes/lane.ts";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import type { InRecord, RawRecord, RecordHeaders } from "../record.ts";

/** About what a record costs in memory beside its bytes: objects, links, its handler's promise. */
const OVERHEAD_BYTES = 600;

/**
 * One record, from decoding until it is done. The same object is the entry in a lane's queue and the record that the stage
 * is given: this is the hot path, and a second object per record would cost.
 */
export class OpenRecord<In> implements InRecord<In>, Queued<OpenRecord<In>> {
  raw: RawRecord;
  /** Undefined only while the record waits for its schema, or could not be read; no stage sees it then. */
  value: In;
  readonly partition: OwnedPartition;
  /** Of key, value and headers. */
  readonly rawBytes: number;
  /** Set while the record is queued or in flight. */
  lane: Lane<OpenRecord<In>> | null = null;
  ahead: OpenRecord<In> | null = null;
  behind: OpenRecord<In> | null = null;
  isInTurn = false;
  /** How often its handler threw, its output was refused, or its schema was looked for in vain. Sets the back-off. */
  failures = 0;
  /** When its handler was called last; set only for handlers that return a promise. */
  startedAt: MonotonicMs = 0;
  readonly seenAt: MonotonicMs;

  constructor(
    raw: RawRecord,
    value: In,
    partition: OwnedPartition,
    seenAt: MonotonicMs,
  ) {
    this.raw = raw;
    this.value = value;
    this.partition = partition;
    this.seenAt = seenAt;
    this.rawBytes = bytesOf(raw);
  }

  /** About what the record takes in memory. */
  get bytes(): number {
    return this.rawBytes + OVERHEAD_BYTES;
  }

  /** The same record in other memory. */
  replace(raw: RawRecord, value: In): void {
    this.raw = raw;
    this.value = value;
  }
}

function bytesOf({ key, value, headers }: RawRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headerBytes(headers);
}

function headerBytes(headers: RecordHeaders): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name]!;
    bytes += name.length;
    if (Buffer.isBuffer(value)) bytes += value.length;
    else for (const one of value) bytes += one.length;
  }
  return bytes;
}
