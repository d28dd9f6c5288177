/** What becomes of records of which the broker refuses one for its size: smaller parts, and at last a dead letter that fits. */
import type { DeadLetter, EpochMs } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord } from "../record.ts";
import type { OutputEntry } from "./output-queue.ts";

/** How much of the raw part is kept: 256 KiB, and less where even that is refused. */
const RAW_LIMITS: readonly number[] = [256 * 1024, 32 * 1024, 0];

/** A dead letter in the place of a refused record. */
export interface CutLetter {
  readonly letter: DeadLetter;
  /** Which of `RAW_LIMITS` it was cut to. */
  readonly cut: number;
}

/** Of a part with a refused record: halved until that record stands alone. */
export function halves<T>(part: readonly T[]): T[][] {
  const middle = part.length >> 1;
  return [part.slice(0, middle), part.slice(middle)];
}

/** The dead letter of a refused record, cut one step further than the last that was refused in its place; null: that one was bare already. */
export function cutFurther(
  entry: OutputEntry,
  context: { readonly deadLetterOf: DeadLetterOf; readonly now: EpochMs },
): CutLetter | null {
  const cut = entry.cut + 1;
  const limit = RAW_LIMITS[cut];
  if (limit === undefined) return null;
  return { letter: cutTo(letterOf(entry, context), limit), cut };
}

/** Coordinates and raw part of the record's source, the ids of what was to be written. If the refused record is a dead letter itself, it keeps its reason. */
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
    value,
    headers: headers ?? {},
  };
  const made = deadLetterOf(
    source ?? written,
    "too_large",
    `a record of ${value.length} bytes for ${topic} is larger than the broker or the topic allows`,
  );
  // A `DeadLetterOf` makes a dead letter; its type allows any record.
  return { ...(made.value as DeadLetter), ...idsOf(record) };
}

/** The same dead letter with at most `limit` bytes of what it carries: raw value, payload, key, headers. Reason, ids and coordinates stay. */
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
