/** Makes dead letters that hold the raw record and its coordinates, for records that no stage could take. */
import {
  type DeadLetter,
  type DeadLetterReason,
  isSecretHeader,
  receivedAtOf,
  REDACTED,
} from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import { setOwn } from "./set-own.ts";
import type { OutRecord, RawRecord, RecordHeaders } from "./record.ts";

/** Makes the dead letter of a raw record. A service may pass its own function, to seal the raw value. Never throws. */
export type DeadLetterOf = (
  raw: RawRecord,
  reason: DeadLetterReason,
  detail: string,
) => OutRecord;

/** A raw value is cut to so many bytes; `rawBytes` is its full size. */
export const RAW_VALUE_LIMIT_BYTES = 256 << 10;
const DETAIL_LIMIT_CHARS = 1000;

/** Makes the default `DeadLetterOf`, which does not seal the raw value. `stage` is a stage's name as in docs/glossary.md: route, deliver, hold, record. */
export function createDeadLetterOf(options: {
  readonly stage: string;
  readonly clock: Clock;
}): DeadLetterOf {
  return (raw, reason, detail) => ({
    topic: "dead-letters",
    key: raw.key,
    value: rawDeadLetter(raw, {
      reason,
      detail,
      stage: options.stage,
      deadAt: options.clock.now(),
    }),
  });
}

/** A dead letter with the fields that follow from the raw record. The caller may replace `rawValue` by a sealed one and set `rawKid`. */
export function rawDeadLetter(
  raw: RawRecord,
  why: Pick<DeadLetter, "reason" | "detail" | "stage" | "deadAt">,
): DeadLetter {
  return {
    reason: why.reason,
    detail: why.detail.slice(0, DETAIL_LIMIT_CHARS),
    field: null,
    rule: null,
    deadAt: why.deadAt,
    stage: why.stage,
    tenantId: null,
    endpointId: null,
    deliveryId: null,
    eventId: null,
    eventType: null,
    receivedAt: receivedAtOf(raw.timestamp, why.deadAt),
    attempts: 0,
    step: 0,
    lastOutcome: null,
    lastStatusCode: null,
    recordTopic: raw.topic,
    recordPartition: raw.partition,
    recordOffset: raw.offset,
    delivery: null,
    rawKey: raw.key,
    rawValue: raw.value?.subarray(0, RAW_VALUE_LIMIT_BYTES) ?? null,
    rawHeaders: firstValues(raw.headers),
    rawKid: null,
    rawBytes: raw.value?.length ?? 0,
    sourceTopic: raw.topic,
    sourcePartition: raw.partition,
    sourceOffset: raw.offset,
  };
}

/**
 * The headers of a dead letter, which has one value for each name. If a name is repeated, the first value keeps the name and the
 * others become `name[1]`, `name[2]`, … Values of secret headers are redacted.
 */
function firstValues(headers: RecordHeaders): Record<string, Uint8Array> {
  const values: Record<string, Uint8Array> = {};
  for (const [name, value] of Object.entries(headers)) {
    const list = Buffer.isBuffer(value) ? [value] : value;
    const isSecret = isSecretHeader(name);
    list.forEach((one, i) =>
      setOwn(
        values,
        i === 0 ? name : `${name}[${i}]`,
        isSecret ? Buffer.from(REDACTED) : one,
      ),
    );
  }
  return values;
}
