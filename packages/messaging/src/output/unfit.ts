/** What becomes of a record whose value does not fit its schema: a dead letter that does. */
import type { DeadLetter, DeadLetterReason } from "@postrider/core";
import { DEAD_LETTER_REASONS } from "@postrider/core";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { UnfitValueError } from "../unfit-value-error.ts";

export interface UnfitContext {
  /** The record that the unfit one follows from, where there is one. */
  readonly source: RawRecord | undefined;
  readonly deadLetterOf: DeadLetterOf;
  readonly now: number;
}

/** Of a value that does not fit, nothing is known. */
type Unknowns = Readonly<Record<string, unknown>>;

/**
 * What to write in the place of an unfit record; the next one where even that does not fit. First the dead letter of its source,
 * with the ids of what was to be written. Then the same reduced to its reason, ids and coordinates, which always fits. An unfit
 * dead letter keeps its reason. Nothing for a record that is no dead letter and follows from none: its sender has to know.
 */
export function* deadLettersInstead(
  unfit: UnfitValueError,
  { source, deadLetterOf, now }: UnfitContext,
): Generator<OutRecord> {
  const { record, message, field, rule } = unfit;
  const isDeadLetter = record.topic === "dead-letters";
  // It does not fit: whatever its type says, it may be anything.
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

/** Each field that is kept is looked at: what is no text or number of the right kind is left out. */
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

/** The ids that a value has, as far as they are ids. */
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

/** An Avro long, as far as a number holds one exactly. */
function wholeOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

/** An Avro int. */
function intOf(value: unknown): number | null {
  return Number.isInteger(value) && ((value as number) | 0) === value
    ? (value as number)
    : null;
}
