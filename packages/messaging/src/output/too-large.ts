/** What becomes of a record that the broker refuses for its size: a dead letter that fits. */
import type { DeadLetter } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord, RawRecord } from "../record.ts";

/** How much of the raw part is kept: 256 KiB, and less where even that is refused. */
export const RAW_LIMITS: readonly number[] = [256 * 1024, 32 * 1024, 0];

/** A record that could not be written, and the record that it follows from. */
export interface RefusedRecord {
  readonly record: OutRecord;
  /** As it would have been written. */
  readonly written: RawRecord;
  readonly source: RawRecord | undefined;
}

/** The dead letter of a refused record: coordinates and raw part of its source, the ids of what was to be written. A dead letter stays the one that it is. */
export function tooLargeDeadLetter(
  refused: RefusedRecord,
  deadLetterOf: DeadLetterOf,
): DeadLetter {
  const { record, written, source } = refused;
  const { value } = record;
  if (record.topic === "dead-letters" && !Buffer.isBuffer(value))
    return value as DeadLetter;
  const made = deadLetterOf(
    source ?? written,
    "too_large",
    `a record of ${written.value?.length ?? 0} bytes for ${written.topic} is larger than the broker or the topic allows`,
  );
  // A `DeadLetterOf` makes a dead letter; its type allows any record.
  return { ...(made.value as DeadLetter), ...idsOf(record) };
}

/** The same dead letter with at most `limit` bytes of what it carries: raw value, payload, key, headers. Reason, ids and coordinates stay. */
export function cutDeadLetter(letter: DeadLetter, limit: number): DeadLetter {
  const payload = letter.delivery?.payload;
  const isDeliveryKept = payload !== undefined && payload.length < limit;
  const raw = letter.rawValue ?? (isDeliveryKept ? null : (payload ?? null));
  return {
    ...letter,
    detail: letter.detail.slice(0, 2000),
    delivery: isDeliveryKept ? letter.delivery : null,
    rawKey: letter.rawKey?.subarray(0, Math.min(limit, 1024)) ?? null,
    rawValue: raw?.subarray(0, limit) ?? null,
    rawHeaders: sizeOf(letter.rawHeaders) <= limit / 4 ? letter.rawHeaders : {},
    rawBytes: Math.max(letter.rawBytes, raw?.length ?? 0),
  };
}

/** Which ids a record's value has; a value that is encoded already shows none. */
function idsOf(record: OutRecord): Partial<DeadLetter> {
  const { value } = record;
  if (Buffer.isBuffer(value) || !("sourceTopic" in value)) return {};
  return {
    tenantId: value.tenantId,
    eventId: value.eventId,
    eventType: value.eventType,
    ...("endpointId" in value && { endpointId: value.endpointId }),
    ...("deliveryId" in value && { deliveryId: value.deliveryId }),
    ...("step" in value && { step: value.step }),
    sourceTopic: value.sourceTopic,
    sourcePartition: value.sourcePartition,
    sourceOffset: value.sourceOffset,
  };
}

function sizeOf(headers: Readonly<Record<string, Uint8Array>>): number {
  return Object.entries(headers).reduce(
    (bytes, [name, value]) => bytes + name.length + value.length,
    0,
  );
}
