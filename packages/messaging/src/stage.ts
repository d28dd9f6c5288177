import type { DeadLetterReason, EpochMs, MonotonicMs } from "@postrider/core";
import type { InRecord, OutRecord, RawRecord } from "./record.ts";

/** One part of the flow: it is given the records of one topic and returns, as data, the records that should follow. It never produces, commits or retries. */
export interface Stage<In> {
  /** Records of a lane start in order; lanes never wait for each other. */
  laneOf(record: InRecord<In>): string;
  /** How many records of a lane may be handled at once. Read at each start, and when a record of the lane comes or ends, so it may change. One is always allowed, also at 0. */
  laneConcurrency(lane: string): number;
  /** Whether the lane's endpoint is known to answer; for stages whose handlers wait for an endpoint. Read often, so it must be cheap. Absent: every lane is proven. */
  laneStanding?(lane: string): LaneStanding;
  /** The lane's rate limit; undefined if it has none. Read at each start, so it must be cheap. Absent: no lane has one. */
  laneRateLimit?(lane: string): LaneRateLimit | undefined;
  /** How long a handler of the lane takes at most, ms; for stages whose handlers wait for an endpoint. With it a stop winds down (wind-down.ts): quick lanes go on until the slow handlers have ended. Asked before each start of a stop. Absent: a stop starts nothing more. */
  longestMs?(lane: string): number;
  /** Whether the record comes back for a turn that a deferral had reserved for it because of its lane's rate limit. Absent: none does. */
  hasTurn?(record: InRecord<In>): boolean;
  /** The group (tenant) that the record's lane belongs to; groups share scarce slots. The same for all records of a lane. Absent: there are no groups. */
  groupOf?(record: InRecord<In>): string;
  /** Is given records that are done and are read again on assignment, so that the stage remembers them and recognises repeats. */
  remember?(record: InRecord<In>): void;
  /**
   * Whether the record repeats one that was read before. A repeat is done, and nothing follows from it. Called once for each
   * record that is not done, before the record waits in its lane; calls of this and of `remember` are in the order of the log.
   * Absent: there are no repeats.
   */
  isRepeat?(record: InRecord<In>): boolean;
  /** A partition was taken away: forget what was remembered for it. */
  forget?(partition: { topic: string; partition: number }): void;
  /**
   * Returns what follows from the record: at once, or as a promise if it has to wait. A throw, or a rejected promise, is a bug: it
   * is logged and counted, and the record is tried again with a back-off. After an `UnfitValueError` the record becomes a dead
   * letter, `invalid`, instead.
   */
  handle(record: InRecord<In>, signal: AbortSignal): Verdict | Promise<Verdict>;
  /** Records to be produced beside the dead letter of a record that the runner gives up: it could not be read, its schema never came, or `handle` threw an `UnfitValueError`. Absent: none. */
  unread?(
    raw: RawRecord,
    reason: DeadLetterReason,
    detail: string,
  ): readonly OutRecord[];
  /**
   * Relief: the records that send this one to a tier until `slotAt`. Called for a record that has not started. `isTurn`: the slot is
   * its turn by the lane's rate limit; otherwise the lane is too slow for the window. Absent: the partition is paused instead.
   */
  defer?(
    record: InRecord<In>,
    slotAt: EpochMs,
    isTurn: boolean,
  ): Iterable<OutRecord>;
}

/** Whether a lane's endpoint answers: yes (`proven`), not tried yet (`unknown`), it did but lets its requests wait now (`quiet`), or not lately (`suspect`). */
export type LaneStanding = "proven" | "unknown" | "quiet" | "suspect";

/** How often a record of a lane may start. The stage counts what it starts; the runner only asks. */
export interface LaneRateLimit {
  /** Records a second, in the long run. */
  readonly perSecond: number;
  /** When the next record may start; in the past if it may start now. */
  nextStartAt(): MonotonicMs;
}

/** What a stage decides about one record. */
export type Verdict =
  /** Produced in bounded chunks; the record is done once all are acknowledged. Empty: nothing follows. */
  | { readonly kind: "emit"; readonly records: Iterable<OutRecord> }
  /** The record becomes a dead letter with the raw record. */
  | {
      readonly kind: "reject";
      readonly reason: DeadLetterReason;
      readonly detail: string;
    };

/** The result of a decoder, which never throws. */
export type Decoded<In> =
  | { readonly kind: "decoded"; readonly value: In }
  /** It can never be read: a dead letter at once. */
  | {
      readonly kind: "unreadable";
      readonly reason: DeadLetterReason;
      readonly detail: string;
    }
  /** It may be readable later: the record waits, and the other records go on. When the wait is over it becomes a dead letter `unknown_schema`. */
  | {
      readonly kind: "unknown_schema";
      readonly schema: string;
      /** The table of schemas may lack some now: the wait does not end before the table is current again. */
      readonly isSourceBehind?: true;
    };

export type Decoder<In> = (record: RawRecord) => Decoded<In>;
