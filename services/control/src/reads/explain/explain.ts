/** What was recorded of an event, and the endpoints as they are now, become the explanation of who got it and why others did not. Pure. */
import type { Endpoint, EpochMs } from "@postrider/core";
import { rfc3339 } from "../../http/rfc3339.ts";
import { textOrNull, timeOrNull } from "../event-view.ts";
import { endpointGroup, isInline } from "./endpoint-now.ts";
import type {
  ArrivalRow,
  BreakerRow,
  CountsRow,
  ExplainedAttemptRow,
  ExplainedDeliveryRow,
  LetterRow,
  NamedRow,
} from "./explain-sql.ts";
import {
  explainedDelivery,
  isParked,
  placeOf,
  standing,
} from "./explained-delivery.ts";
import type {
  ArrivalView,
  Explanation,
  ExplainVerdict,
} from "./explanation.ts";
import { nextStepsOfEvent } from "./next-steps.ts";
import { notNamed } from "./not-named.ts";

export interface ExplainFacts {
  readonly id: string;
  /** '': the tenant could not be read. */
  readonly tenantId: string;
  readonly type: string;
  /** The one that counts first; none of a test event. */
  readonly arrivals: readonly ArrivalRow[];
  /** What the arrival that counts was decided about; null where endpoints were not looked at. */
  readonly named: NamedRow | null;
  readonly deliveries: readonly ExplainedDeliveryRow[];
  /** Set where there are more deliveries than those. */
  readonly counts: CountsRow | null;
  readonly attempts: readonly ExplainedAttemptRow[];
  readonly letters: readonly LetterRow[];
  readonly breakers: readonly BreakerRow[];
  /** There were more deliveries or attempts. */
  readonly truncated: boolean;
  /** Those of the tenant alone. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** Full name of the common topic. */
  readonly eventsTopic: string;
}

export function explain(facts: ExplainFacts, now: EpochMs): Explanation {
  const [counted, ...others] = facts.arrivals;
  const find = (id: string): Endpoint | undefined => facts.endpoints.get(id);
  const named = facts.named ?? NOBODY_NAMED;
  const deliveries = deliveriesOf(facts, now);
  const sent = facts.counts ?? countsOf(facts);
  const verdict = verdictOf(counted, { ...sent, named: named.sent.length });
  const said = {
    arrival: counted === undefined ? null : arrivalView(counted, facts),
    deliveries,
    paused: endpointGroup(named.paused, find),
    disabled: endpointGroup(named.disabled, find),
    filtered: endpointGroup(named.filtered, find),
    notNamed: notNamedOf(facts),
  };
  return {
    id: facts.id,
    type: facts.type,
    tenantId: textOrNull(facts.tenantId),
    verdict,
    ...said,
    arrivals: {
      count: counted?.arrivals ?? 0,
      others: others.map((row) => arrivalView(row, facts)),
    },
    deadLetter: ownLetter(facts.letters, counted),
    sent: {
      endpoints: sent.delivered + sent.waiting + sent.parked + sent.givenUp,
      deliveries: sent.deliveries,
      delivered: sent.delivered,
      waiting: sent.waiting,
      parked: sent.parked,
      givenUp: sent.givenUp,
    },
    next: nextStepsOfEvent({ verdict, ...said }),
    truncated: facts.truncated,
  };
}

const NOBODY_NAMED: NamedRow = {
  sent: [],
  paused: [],
  disabled: [],
  filtered: [],
};

function arrivalView(
  row: ArrivalRow,
  { eventsTopic }: Pick<ExplainFacts, "eventsTopic">,
): ArrivalView {
  return {
    receivedAt: rfc3339(row.receivedAt),
    decidedAt: rfc3339(row.decidedAt),
    occurredAt: timeOrNull(row.occurredAt),
    decision: row.decision,
    reason: textOrNull(row.reason),
    field: textOrNull(row.field),
    rule: textOrNull(row.rule),
    payloadBytes: row.payload_bytes,
    source: {
      kind: row.source_topic === eventsTopic ? "events" : "configured_source",
      topic: row.source_topic,
      partition: row.source_partition,
      offset: row.source_offset,
    },
  };
}

function deliveriesOf(
  facts: ExplainFacts,
  now: EpochMs,
): Explanation["deliveries"] {
  const attempts = attemptsOf(facts);
  const letters = new Map(facts.letters.map((row) => [row.delivery_id, row]));
  const breakers = new Map(facts.breakers.map((row) => [row.endpoint_id, row]));
  const rows = facts.deliveries.map((row) => ({
    row,
    now: standing(row, attempts(row)),
  }));
  const notArrivedFirst = rows.toSorted(
    (a, b) => ORDER.indexOf(a.now.status) - ORDER.indexOf(b.now.status),
  );
  return notArrivedFirst.map((one) => {
    const { row } = one;
    const isSentAgain =
      one.now.status === "expired" &&
      rows.some(
        (other) =>
          other !== one &&
          other.row.endpoint_id === row.endpoint_id &&
          other.now.status !== "expired",
      );
    const [counted] = facts.arrivals;
    return explainedDelivery(
      {
        row,
        attempts: attempts(row),
        letter: letters.get(row.delivery_id),
        breaker: breakers.get(row.endpoint_id),
        beganAt: counted?.decidedAt ?? now,
      },
      { find: (id) => facts.endpoints.get(id), now, isSentAgain },
    );
  });
}

const ORDER = ["pending", "failed", "expired", "delivered"];

type AttemptsOf = (row: ExplainedDeliveryRow) => readonly ExplainedAttemptRow[];

function attemptsOf({ attempts }: ExplainFacts): AttemptsOf {
  const byDelivery = Map.groupBy(attempts, (row) => row.delivery_id);
  return ({ delivery_id }) => byDelivery.get(delivery_id) ?? [];
}

/** The same as `COUNTS_SQL`, after what the attempts have decided. */
function countsOf(facts: ExplainFacts): CountsRow {
  const attempts = attemptsOf(facts);
  const best = new Map<string, number>();
  for (const row of facts.deliveries) {
    const rank = rankOf(standing(row, attempts(row)));
    const known = best.get(row.endpoint_id) ?? 0;
    best.set(row.endpoint_id, Math.max(known, rank));
  }
  const count = (wanted: number): number =>
    [...best.values()].filter((rank) => rank === wanted).length;
  return {
    deliveries: facts.deliveries.length,
    delivered: count(3),
    waiting: count(2),
    parked: count(1),
    givenUp: count(0),
  };
}

function rankOf(row: ExplainedDeliveryRow): number {
  if (row.status === "delivered") return 3;
  if (row.status === "expired") return 0;
  return isParked(row) ? 1 : 2;
}

function verdictOf(
  counted: ArrivalRow | undefined,
  sent: CountsRow & { readonly named: number },
): ExplainVerdict {
  const { delivered, waiting, parked, givenUp } = sent;
  const others = waiting + parked + givenUp;
  if (delivered > 0) return others > 0 ? "partly_delivered" : "delivered";
  if (waiting > 0) return "under_way";
  if (parked > 0) return "parked";
  if (givenUp > 0) return "given_up";
  switch (counted?.decision) {
    case "duplicate":
      return "duplicate";
    case "invalid":
    case "refused":
      return "turned_away";
    default: // Its deliveries may not be visible yet.
      return sent.named > 0 ? "under_way" : "nobody";
  }
}

function notNamedOf(facts: ExplainFacts): Explanation["notNamed"] {
  const { named, endpoints, type } = facts;
  const [counted] = facts.arrivals;
  if (named === null || counted === undefined || named.sent.some(isInline))
    return null;
  return notNamed({
    type,
    decidedAt: counted.decidedAt,
    countThen: counted.no_match_count,
    named: new Set([
      ...named.sent,
      ...named.disabled,
      ...named.filtered,
      // a backfill has sent it to them since
      ...facts.deliveries.map(({ endpoint_id }) => endpoint_id),
    ]),
    endpoints: endpoints.values(),
  });
}

/** That of the event's own record, which made no delivery. Beside an arrival that was accepted, it is of another record with the same id. */
function ownLetter(
  letters: readonly LetterRow[],
  counted: ArrivalRow | undefined,
): Explanation["deadLetter"] {
  if (counted !== undefined && counted.decision !== "invalid") return null;
  const letter = letters.find(({ delivery_id }) => delivery_id === "");
  if (letter === undefined) return null;
  const { reason, detail } = letter;
  return { reason, detail, place: placeOf(letter) };
}
