import type {
  Attempt,
  AuditEntry,
  ControlEntry,
  DeadLetter,
  Delivery,
  Endpoint,
  EpochMs,
  Intake,
  Signal,
  WebhookEvent,
} from "@postrider/core";

/** A record as it was read from the broker. `topic` is the full name, with the prefix; `offset` is exact below 2^53. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's timestamp: the broker's on LogAppendTime topics, else the producer's. */
  readonly timestamp: EpochMs;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
  /** Set if this record stands for records that could not be read. No decoder may see its value. */
  readonly unreadable?: Unreadable;
}

/** Why a record, or a whole batch, could not be read. */
export interface Unreadable {
  /** The last offset that could not be read; the record's own `offset` is the first. */
  readonly lastOffset: number;
  readonly reason: UnreadableReason;
  /** The reason in words, with the offsets. */
  readonly detail: string;
}

export type UnreadableReason =
  /** The bytes are not those that the producer sent. */
  | "checksum"
  /** Lengths, counts or offsets contradict each other. */
  | "framing"
  | "unknown_codec"
  /** The batch does not inflate. */
  | "compression"
  | "too_large_inflated"
  | "too_many_records"
  | "too_many_headers";

/** The last offset that a record stands for: its own, unless it stands for a batch that could not be read. */
export function lastOffsetOf(record: RawRecord): number {
  return record.unreadable === undefined
    ? record.offset
    : record.unreadable.lastOffset;
}

/** Header values in the order of the record; a repeated name keeps every value. */
export type RecordHeaders = Readonly<
  Record<string, Buffer | readonly Buffer[]>
>;

/** A record and what its value decoded to. */
export interface InRecord<In> {
  readonly raw: RawRecord;
  readonly value: In;
}

/** A tier's topic, without the prefix: `retry.1s`. */
export type TierTopic = `retry.${string}`;

/** What each topic (its name without the prefix) carries. */
export interface TopicValues {
  events: WebhookEvent;
  deliveries: Delivery;
  "dead-letters": DeadLetter;
  attempts: Attempt;
  intake: Intake;
  signals: Signal;
  audit: AuditEntry;
  endpoints: Endpoint;
  control: ControlEntry;
  [tier: TierTopic]: Delivery;
}

/**
 * A record to be produced. `topic` is the name without the prefix. The output encodes `value`, unless it is a `Buffer`: that is
 * encoded already (hold passes a delivery on unchanged).
 */
export type OutRecord = {
  [T in keyof TopicValues]: {
    readonly topic: T;
    readonly key: string | Buffer | null;
    readonly value: TopicValues[T] | Buffer;
    readonly headers?: RecordHeaders;
  };
}[keyof TopicValues];
