import type { DeadLetterReason, EpochMs } from "@postrider/core";
import type { InRecord, OutRecord, RawRecord } from "./record.ts";

/** One hop: reads one topic and returns, as data, what should follow. It never produces, commits or retries. */
export interface Stage<In> {
  /** Records of a lane start in order; lanes never wait for each other. */
  laneOf(record: InRecord<In>): string;
  /** How many records of a lane may be handled at once; 1 or more. Read at each start, so it may change. */
  laneConcurrency(lane: string): number;
  /** What is known of the lane's endpoint, where a handler can be kept waiting. Read as often. Absent: every lane is proven. */
  laneStanding?(lane: string): LaneStanding;
  /** With whom the record's lane shares when slots are scarce: its tenant. The same for all records of a lane. Absent: nobody shares. */
  groupOf?(record: InRecord<In>): string;
  /** A record before the committed offset, or done above it, read again on assignment to warm windows. */
  remember?(record: InRecord<In>): void;
  /**
   * Whether a record that was read before says the same: then it is done, and nothing follows from it. Asked once for each
   * record that is not done, in the order of the log together with `remember`, and before the record waits for its lane.
   * Absent: none does.
   */
  isRepeat?(record: InRecord<In>): boolean;
  /** A partition was taken away: forget what was remembered for it. */
  forget?(partition: { topic: string; partition: number }): void;
  /**
   * What follows from the record: at once, or as a promise where it has to wait. To throw, or a rejected promise, is a bug:
   * logged, counted, and tried again with back-off; but after an `UnfitValueError` the record is a dead letter, `invalid`.
   */
  handle(record: InRecord<In>, signal: AbortSignal): Verdict | Promise<Verdict>;
  /** What follows, beside its dead letter, from a record that the runner gives up: it could not be read, its schema never came, or `handle` met a value that fits no schema. Absent: nothing. */
  unread?(
    raw: RawRecord,
    reason: DeadLetterReason,
    detail: string,
  ): readonly OutRecord[];
  /** Relief: what a record that has not started becomes, when its lane is too slow for the window. Absent: the partition is paused instead. */
  defer?(record: InRecord<In>, slotAt: EpochMs): Iterable<OutRecord>;
}

/** What is known of a lane: it answers, it did not answer lately, or it has not been tried. */
export type LaneStanding = "proven" | "unknown" | "suspect";

/** What a stage says of one record. */
export type Verdict =
  /** Produced in bounded chunks; the record is done once all are acknowledged. Empty: nothing follows. */
  | { readonly kind: "emit"; readonly records: Iterable<OutRecord> }
  /** A dead letter with the raw record. */
  | {
      readonly kind: "reject";
      readonly reason: DeadLetterReason;
      readonly detail: string;
    };

/** What a decoder makes of a raw record. It never throws. */
export type Decoded<In> =
  | { readonly kind: "decoded"; readonly value: In }
  /** Never readable: a dead letter at once. */
  | {
      readonly kind: "unreadable";
      readonly reason: DeadLetterReason;
      readonly detail: string;
    }
  /** Maybe readable later: the record waits, its siblings go on; a dead letter `unknown_schema` when the wait is over. */
  | { readonly kind: "unknown_schema"; readonly schema: string };

export type Decoder<In> = (record: RawRecord) => Decoded<In>;
