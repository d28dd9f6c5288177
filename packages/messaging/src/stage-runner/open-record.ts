import type { MonotonicMs } from "@postrider/core";
import type { Lane, Queued } from "../lanes/lane.ts";
import type { OwnedPartition } from "../offsets/owned-partition.ts";
import type { InRecord, RawRecord, RecordHeaders } from "../record.ts";

/** What a record costs beside its bytes: objects, links, its handler's promise. About. */
const OVERHEAD_BYTES = 600;

/**
 * One record from its decoding until it is done: a place in a lane's queue, and what its stage is given. One object for both, because there is one for every record of the hot path.
 */
export class OpenRecord<In> implements InRecord<In>, Queued<OpenRecord<In>> {
  readonly raw: RawRecord;
  /** Undefined only while its schema is waited for; no stage sees it then. */
  value: In;
  readonly partition: OwnedPartition;
  readonly bytes: number;
  /** Set while queued or in flight. */
  lane: Lane<OpenRecord<In>> | null = null;
  ahead: OpenRecord<In> | null = null;
  behind: OpenRecord<In> | null = null;
  /** How often its handler has thrown, or its schema was not there. */
  failures = 0;
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
    this.bytes =
      OVERHEAD_BYTES +
      (raw.key?.length ?? 0) +
      (raw.value?.length ?? 0) +
      headerBytes(raw.headers);
  }
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
