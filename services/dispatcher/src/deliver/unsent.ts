/** What becomes of a delivery that is not attempted now: it waits in a tier, or it is given up. Each fact is also reported. */
import type { Delivery, EpochMs, Tier } from "@postrider/core";
import type { InRecord, OutRecord } from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";
import type { Admission, Target } from "./admit.ts";
import type { DeliverReport } from "./deliver-report.ts";
import type { DeliverSpans } from "./deliver-spans.ts";
import { passLastAttemptOn } from "./last-attempt-header.ts";
import {
  deadLetterRecord,
  deferralRecords,
  type Deferral,
} from "./outgoing-records.ts";
import { secretWaitEndsAt } from "./secret-wait.ts";

export interface Unsent {
  deferred(
    record: InRecord<Delivery>,
    why: Pick<Deferral, "reason" | "until"> &
      Partial<Pick<Deferral, "slotAt" | "unknownSince">>,
  ): readonly OutRecord[];
  givenUp(
    record: InRecord<Delivery>,
    why: Extract<Admission, { kind: "dead_letter" }>,
    now: EpochMs,
  ): OutRecord[];
  /** It could not be signed: it waits until that may have changed, or is given up if it expires before. */
  unsigned(
    record: InRecord<Delivery>,
    target: Target,
    now: EpochMs,
    problem: string,
  ): readonly OutRecord[];
}

export function createUnsent(options: {
  /** Ascending, one or more. */
  readonly tiers: readonly Tier[];
  readonly worker: string;
  readonly clock: Clock;
  readonly report: DeliverReport;
  /** Null without tracing. */
  readonly spans: DeliverSpans | null;
}): Unsent {
  const { tiers, worker, clock, report, spans } = options;
  const unsent: Unsent = {
    deferred(record, { reason, until, slotAt = null, unknownSince = null }) {
      report.deferred(reason);
      const now = clock.now();
      const deferral = { reason, until, slotAt, unknownSince, now, worker };
      spans?.deferred(record, reason);
      const records = deferralRecords(record.value, deferral, tiers);
      // Without tracing, too: the dispatcher of the next attempt may make spans.
      return passLastAttemptOn(records, record.raw.headers);
    },
    givenUp(record, why, now) {
      const { reason, detail } = why;
      report.deadLettered(record.value, reason);
      spans?.givenUp(record, why);
      return [
        deadLetterRecord(record, {
          reason,
          detail,
          now,
          lastOutcome: null,
          lastStatusCode: null,
        }),
      ];
    },
    unsigned(record, target, now, problem) {
      const until = secretWaitEndsAt(record.value, target, now);
      if (until !== null)
        return unsent.deferred(record, {
          reason: "secret_unavailable",
          until,
        });
      const detail = `it could not be signed before it expired: ${problem}`;
      return unsent.givenUp(
        record,
        { kind: "dead_letter", reason: "expired", detail },
        now,
      );
    },
  };
  return unsent;
}
