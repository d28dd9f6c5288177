/** How one delivery stands, why, and what follows. Pure. */
import type { EpochMs } from "@postrider/core";
import {
  asDecidedBy,
  attemptViewOf,
  textOrNull,
  timeOrNull,
  waits,
} from "../event-view.ts";
import { rfc3339 } from "../../http/rfc3339.ts";
import { endpointNow, type FindEndpoint } from "./endpoint-now.ts";
import type {
  BreakerRow,
  ExplainedAttemptRow,
  ExplainedDeliveryRow,
  LetterRow,
} from "./explain-sql.ts";
import type { ExplainedDelivery, WaitsFor } from "./explanation.ts";
import { nextStepsOf } from "./next-steps.ts";

/** What was due so long ago and is not recorded yet is late: the recorder is a second behind, and a wait ends a second late at most. */
const LATE_MS = 60_000;
/** After these deferrals something else is recorded within minutes. For the other reasons a delivery may be put off again for days, of which nothing is recorded: see `lateOf`. */
const SOON_OVER = ["not_before", "endpoint_unknown", "endpoint_behind"];

export interface DeliveryFacts {
  readonly row: ExplainedDeliveryRow;
  /** All that are recorded, deferrals too. */
  readonly attempts: readonly ExplainedAttemptRow[];
  readonly letter: LetterRow | undefined;
  readonly breaker: BreakerRow | undefined;
  /** When the event was decided, or came in. */
  readonly beganAt: EpochMs;
}

/** The row as its attempts have decided it. */
export function standing(
  row: ExplainedDeliveryRow,
  attempts: readonly ExplainedAttemptRow[],
): ExplainedDeliveryRow {
  return attempts.reduce<ExplainedDeliveryRow>(asDecidedBy, row);
}

export function explainedDelivery(
  facts: DeliveryFacts,
  of: {
    readonly find: FindEndpoint;
    readonly now: EpochMs;
    readonly isSentAgain: boolean;
  },
): ExplainedDelivery {
  const inOrder = facts.attempts.toSorted(
    (a, b) => a.step - b.step || a.started_at - b.started_at,
  );
  const row = standing(facts.row, inOrder);
  const made = inOrder.filter(({ attempt_number }) => attempt_number > 0);
  const last = made.at(-1);
  const newest = inOrder.at(-1);
  const isWaiting = waits(row);
  const deferralReason = isWaiting
    ? textOrNull(newest?.deferral_reason ?? row.deferral_reason)
    : null;
  const dueAt = isWaiting
    ? (newest?.next_attempt_at ?? row.next_attempt_at)
    : null;
  const delivery = {
    id: row.delivery_id,
    endpoint: endpointNow(row.endpoint_id, of.find),
    status: row.status,
    replayId: textOrNull(row.replay_id),
    isSentAgain: of.isSentAgain,
    // The row knows of attempts that a part of the answer may lack.
    attempts: Math.max(row.attempts, made.at(-1)?.attempt_number ?? 0),
    outcomes: outcomesOf(made),
    lastAttempt: last === undefined ? null : attemptViewOf(last),
    waitsFor: waitOf(row, { isWaiting, deferralReason }),
    deferralReason,
    tier: isWaiting ? textOrNull(newest?.tier ?? "") : null,
    nextAttemptAt: timeOrNull(dueAt),
    isOverdue:
      isWaiting && of.now > (dueAt ?? facts.beganAt) + lateOf(deferralReason),
    breaker: isWaiting ? openSince(facts.breaker) : null,
    deadLetter: deadLetterOf(row, facts.letter),
  };
  return { ...delivery, next: nextStepsOf(delivery) };
}

/** Only the first of the deferrals for one reason is recorded. An open breaker, or a rate limit, makes any number of them. */
function lateOf(deferralReason: string | null): number {
  if (deferralReason === null) return LATE_MS;
  return SOON_OVER.includes(deferralReason) ? LATE_MS + 300_000 : Infinity;
}

function waitOf(
  row: ExplainedDeliveryRow,
  of: { readonly isWaiting: boolean; readonly deferralReason: string | null },
): WaitsFor | null {
  if (!of.isWaiting) return isParked(row) ? "resume" : null;
  if (of.deferralReason !== null) return "deferral";
  return row.status === "failed" ? "retry" : "first_attempt";
}

export function isParked({
  status,
  dead_letter_reason,
}: Pick<ExplainedDeliveryRow, "status" | "dead_letter_reason">): boolean {
  const isOpen = status === "pending" || status === "failed";
  return isOpen && dead_letter_reason === "paused";
}

function outcomesOf(
  made: readonly ExplainedAttemptRow[],
): ExplainedDelivery["outcomes"] {
  const groups = Map.groupBy(
    made,
    ({ outcome, status_code }) => `${outcome} ${status_code}`,
  );
  return [...groups.values()]
    .map((group) => ({
      outcome: group[0]!.outcome, // a group has at least one
      statusCode: group[0]!.status_code,
      count: group.length,
    }))
    .toSorted((a, b) => b.count - a.count);
}

function openSince(
  breaker: BreakerRow | undefined,
): ExplainedDelivery["breaker"] {
  if (breaker?.kind !== "breaker_opened") return null;
  return { openedAt: rfc3339(breaker.seenAt), detail: breaker.detail };
}

/** The dead letter itself may be recorded a moment later than the attempt that made it. A parked delivery that a resume has sent keeps one. */
function deadLetterOf(
  { dead_letter_reason: reason }: ExplainedDeliveryRow,
  letter: LetterRow | undefined,
): ExplainedDelivery["deadLetter"] {
  if (reason === "") return null;
  if (letter?.reason !== reason)
    return { reason, detail: null, deadAt: null, place: null };
  return {
    reason,
    detail: textOrNull(letter.detail),
    deadAt: rfc3339(letter.deadAt),
    place: placeOf(letter),
  };
}

export function placeOf(letter: LetterRow) {
  return {
    topic: letter.log_topic,
    partition: letter.log_partition,
    offset: letter.log_offset,
  };
}
