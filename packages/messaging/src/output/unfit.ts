/** Makes the dead letter of a record whose value does not fit its schema. The dead letter itself always fits. */
import type { DeadLetter, DeadLetterReason } from "@postrider/core";
import { DEAD_LETTER_REASONS } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { UnfitValueError } from "../unfit-value-error.ts";

export interface UnfitContext {
  /** The record that the unfit one follows from, if there is one. */
  readonly source: RawRecord | undefined;
  readonly deadLetterOf: DeadLetterOf;
  readonly now: number;
}

/** A value that does not fit its schema: each field may be anything. */
type Unknowns = Readonly<Record<string, unknown>>;

/**
 * Yields the dead letters to write in the place of an unfit record; the second is for the case that the first does not fit either.
 *
 * 1. The dead letter of its source, with the ids of the unfit record.
 * 2. The same reduced to its reason, ids and coordinates, which always fits.
 *
 * An unfit dead letter keeps its reason; without a source only the second is yielded for it. For any other record without a source
 * nothing is yielded: the sender gets the error.
 */
export function* deadLettersInstead(
  unfit: UnfitValueError,
  { source, deadLetterOf, now }: UnfitContext,
): Generator<OutRecord> {
  const { record, message, field, rule } = unfit;
  const isDeadLetter = record.topic === "dead-letters";
  // The value does not fit its schema, so it need not match its type either.
  const value = (record.value ?? {}) as unknown as Unknowns;
  const reason = isDeadLetter ? reasonOf(value.reason) : "invalid";
  const before = isDeadLetter ? textOf(value.detail) : null;
  const detail = before ? `${before}; ${message}` : message;
  if (source !== undefined) {
    const { value: made } = deadLetterOf(source, reason, detail);
    // A `DeadLetterOf` makes a dead letter; its type allows any record.
    const letter = { ...(made as DeadLetter), ...idsIn(value), field, rule };
    yield placed(letter, source);
    yield placed(bare({ ...letter }, now), source);
  } else if (isDeadLetter) {
    yield placed(bare({ field, rule, ...value, reason, detail }, now), source);
  }
}

function placed(letter: DeadLetter, source: RawRecord | undefined): OutRecord {
  const key = letter.endpointId ?? source?.key ?? null;
  return { topic: "dead-letters", key, value: letter };
}

/** The dead letter reduced to fields that fit. Each field is checked; one that is not a text or number of the right kind gets a default. */
function bare(letter: Unknowns, now: number): DeadLetter {
  return {
    reason: reasonOf(letter.reason),
    detail: textOf(letter.detail) ?? "",
    field: textOf(letter.field),
    rule: textOf(letter.rule),
    deadAt: wholeOf(letter.deadAt) ?? now,
    stage: textOf(letter.stage) ?? "",
    tenantId: null,
    endpointId: null,
    deliveryId: null,
    eventId: null,
    eventType: null,
    receivedAt: wholeOf(letter.receivedAt),
    attempts: intOf(letter.attempts) ?? 0,
    step: 0,
    lastOutcome: textOf(letter.lastOutcome),
    lastStatusCode: intOf(letter.lastStatusCode),
    recordTopic: textOf(letter.recordTopic) ?? "",
    recordPartition: intOf(letter.recordPartition) ?? -1,
    recordOffset: wholeOf(letter.recordOffset) ?? -1,
    delivery: null,
    rawKey: null,
    rawValue: null,
    rawHeaders: {},
    rawKid: null,
    rawBytes: intOf(letter.rawBytes) ?? 0,
    sourceTopic: "",
    sourcePartition: -1,
    sourceOffset: -1,
    ...idsIn(letter),
  };
}

/** The ids in a value, except those of the wrong type. */
function idsIn(value: Unknowns): Partial<DeadLetter> {
  const ids = {
    tenantId: textOf(value.tenantId),
    eventId: textOf(value.eventId),
    eventType: textOf(value.eventType),
    endpointId: textOf(value.endpointId),
    deliveryId: textOf(value.deliveryId),
    step: intOf(value.step),
    sourceTopic: textOf(value.sourceTopic),
    sourcePartition: intOf(value.sourcePartition),
    sourceOffset: wholeOf(value.sourceOffset),
  };
  return Object.fromEntries(
    Object.entries(ids).filter(([, id]) => id !== null),
  );
}

function reasonOf(value: unknown): DeadLetterReason {
  return DEAD_LETTER_REASONS.find((reason) => reason === value) ?? "invalid";
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** The largest that avsc writes as a long: one less than `Number.MAX_SAFE_INTEGER`. */
const LARGEST_LONG = Number.MAX_SAFE_INTEGER - 1;

/** An Avro long that a JavaScript number holds exactly; null for anything else. */
function wholeOf(value: unknown): number | null {
  return Number.isInteger(value) && Math.abs(value as number) <= LARGEST_LONG
    ? (value as number)
    : null;
}

/** An Avro int; null for anything else. */
function intOf(value: unknown): number | null {
  return Number.isInteger(value) && ((value as number) | 0) === value
    ? (value as number)
    : null;
}
