/** What to do if the broker refuses records because one is too large: send smaller parts, and at last a dead letter that fits. */
import type { DeadLetter, EpochMs } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord } from "../record.ts";
import { joined, lengthOf } from "../value-bytes.ts";
import type { OutputEntry } from "./output-queue.ts";

/** How many bytes of the raw part a dead letter keeps: 256 KiB, and less if even that is refused. */
const RAW_LIMITS: readonly number[] = [256 * 1024, 32 * 1024, 0];

/** A dead letter that takes the place of a refused record. */
export interface CutLetter {
  readonly letter: DeadLetter;
  /** Index in `RAW_LIMITS` to which it was cut. */
  readonly cut: number;
}

/** Halves a part that holds a refused record. Repeated until that record stands alone. */
export function halves<T>(part: readonly T[]): T[][] {
  const middle = part.length >> 1;
  return [part.slice(0, middle), part.slice(middle)];
}

/** The dead letter of a refused record, cut one step more than the dead letter that was refused in its place before. Null if that had no raw part left. */
export function cutFurther(
  entry: OutputEntry,
  context: { readonly deadLetterOf: DeadLetterOf; readonly now: EpochMs },
): CutLetter | null {
  const cut = entry.cut + 1;
  const limit = RAW_LIMITS[cut];
  if (limit === undefined) return null;
  return { letter: cutTo(letterOf(entry, context), limit), cut };
}

/** A dead letter with the coordinates and the raw part of the record's source, and the ids of the record that was refused. If the refused record is itself a dead letter, that one is returned and keeps its reason. */
function letterOf(
  { record, source, topic, partition, key, value, headers }: OutputEntry,
  {
    deadLetterOf,
    now,
  }: { readonly deadLetterOf: DeadLetterOf; readonly now: EpochMs },
): DeadLetter {
  if (record.topic === "dead-letters" && !Buffer.isBuffer(record.value))
    return record.value as DeadLetter;
  const written = {
    topic,
    partition,
    offset: -1,
    timestamp: now,
    key,
    value: joined(value),
    headers: headers ?? {},
  };
  const made = deadLetterOf(
    source ?? written,
    "too_large",
    `a record of ${lengthOf(value)} bytes for ${topic} is larger than the broker or the topic allows`,
  );
  // A `DeadLetterOf` makes a dead letter; its type allows any record.
  return { ...(made.value as DeadLetter), ...idsOf(record) };
}

/**
 * Cuts a dead letter: the raw value to `limit` bytes and the key to 1,024 at most; headers of more than a quarter of `limit` and a
 * payload of `limit` or more are left out (such a payload becomes the raw value if there is none). Reason, ids and coordinates stay.
 */
function cutTo(letter: DeadLetter, limit: number): DeadLetter {
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

/** The ids in a record's value; none if the value is already encoded. */
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
