/** Reads what explains an event: rows of ClickHouse, and the endpoints from our own table. What it all means is decided in explain.ts. */
import type { Endpoint, EpochMs } from "@postrider/core";
import { isVisible } from "../../http/callers-tenant.ts";
import { ofOneTenant, unknownEvent } from "../event-problems.ts";
import type { Reading } from "../reading.ts";
import {
  ARRIVALS_SQL,
  ATTEMPTS_SQL,
  BREAKERS_SQL,
  COUNTS_SQL,
  DELIVERIES_SQL,
  LETTERS_SQL,
  MAX_ATTEMPTS,
  MAX_DELIVERIES,
  NAMED_SQL,
  NEWEST_OF_TENANT_SQL,
  NEWEST_SQL,
  STRAY_LETTERS_SQL,
  UNREADABLE_SQL,
  WHOSE_DELIVERY_SQL,
  WHOSE_EVENT_SQL,
  type ArrivalRow,
  type BreakerRow,
  type CountsRow,
  type ExplainedAttemptRow,
  type ExplainedDeliveryRow,
  type LetterRow,
  type NamedRow,
  type RecordedRow,
  type WhoseRow,
} from "./explain-sql.ts";
import type { ExplainFacts } from "./explain.ts";
import { recordKeyOf, whereToLook } from "./where-to-look.ts";

export interface ExplainAsked {
  readonly eventId: string;
  /** Null: whoever has the event. */
  readonly tenantId: string | null;
  /** Null: an operator. */
  readonly callersTenant: string | null;
}

export interface ExplainSources {
  readonly reading: Pick<Reading, "select">;
  readonly endpoints: {
    entries(): Iterable<readonly [string, Endpoint]>;
  };
  /** Full name of the common topic. */
  readonly eventsTopic: string;
}

/** Throws a `ControlProblem` where nothing is recorded of the event, or where several tenants have it. */
export async function readExplanation(
  asked: ExplainAsked,
  { reading, endpoints, eventsTopic }: ExplainSources,
): Promise<ExplainFacts> {
  const whose = await whoseIs(reading, asked);
  if (whose === undefined)
    throw unknownEvent(asked.eventId, await hintsFor(reading, asked));
  const of = { tenantId: whose.tenant_id, eventId: asked.eventId };
  const arrivals = await reading.select<ArrivalRow>(ARRIVALS_SQL, of);
  const [counted] = arrivals;
  const times = timesOf(arrivals, whose);
  // In this order: the attempts that are read later then include those that decided the deliveries read before.
  const [named, rows] = await Promise.all([
    readNamed(reading, of, counted),
    reading.select<ExplainedDeliveryRow>(DELIVERIES_SQL, { ...of, ...times }),
  ]);
  const deliveries = rows.slice(0, MAX_DELIVERIES);
  const isCut = rows.length > MAX_DELIVERIES;
  const endpointIds = idsOf(deliveries, ({ endpoint_id }) => endpoint_id);
  const values = {
    ...of,
    ...times,
    endpointIds,
    deliveryIds: idsOf(deliveries, ({ delivery_id }) => delivery_id),
  };
  const [counts, attempts, letters, breakers] = await Promise.all([
    isCut ? reading.select<CountsRow>(COUNTS_SQL, values) : [],
    deliveries.length === 0
      ? []
      : reading.select<ExplainedAttemptRow>(ATTEMPTS_SQL, values),
    reading.select<LetterRow>(LETTERS_SQL, {
      ...values,
      ...placeOf(counted),
      endpointIds: ["", ...endpointIds], // '': of the event's own record
    }),
    deliveries.length === 0
      ? []
      : reading.select<BreakerRow>(BREAKERS_SQL, values),
  ]);
  return {
    id: asked.eventId,
    tenantId: of.tenantId,
    type: counted?.event_type ?? whose.type,
    arrivals,
    named,
    deliveries,
    counts: counts[0] ?? null,
    attempts: attempts.slice(0, MAX_ATTEMPTS),
    letters,
    breakers,
    truncated: isCut || attempts.length > MAX_ATTEMPTS,
    endpoints: endpointsOf(endpoints, of.tenantId, asked.callersTenant),
    eventsTopic,
  };
}

/** Whose event it is, and when it came in, by its arrivals; else by its deliveries. */
async function whoseIs(
  reading: ExplainSources["reading"],
  { eventId, tenantId }: ExplainAsked,
): Promise<WhoseRow | undefined> {
  for (const sql of [WHOSE_EVENT_SQL, WHOSE_DELIVERY_SQL]) {
    const values = { eventId, tenantId: tenantId ?? "" };
    const [first] = ofOneTenant(await reading.select<WhoseRow>(sql, values));
    if (first !== undefined) return first;
  }
  return undefined;
}

/** A delivery has the `received_at` of the arrival that made it. */
function timesOf(
  arrivals: readonly ArrivalRow[],
  { times }: WhoseRow,
): { readonly receivedAt: readonly EpochMs[]; readonly from: EpochMs } {
  const receivedAt =
    arrivals.length === 0
      ? times
      : [...new Set(arrivals.map((row) => row.receivedAt))];
  return { receivedAt, from: Math.min(...receivedAt) };
}

const BY_ENDPOINTS = ["routed", "filtered", "no_match"];

async function readNamed(
  reading: ExplainSources["reading"],
  of: { readonly tenantId: string; readonly eventId: string },
  counted: ArrivalRow | undefined,
): Promise<NamedRow | null> {
  if (counted === undefined || !BY_ENDPOINTS.includes(counted.decision))
    return null;
  const { decision, decidedAt } = counted;
  const values = { ...of, ...placeOf(counted), decision, decidedAt };
  const [named] = await reading.select<NamedRow>(NAMED_SQL, values);
  return named ?? null;
}

/** Where the record of the arrival is; nowhere where none is recorded. */
function placeOf(counted: ArrivalRow | undefined) {
  return {
    topic: counted?.source_topic ?? "",
    partition: counted?.source_partition ?? -1,
    offset: counted?.source_offset ?? -1,
  };
}

function idsOf<Row>(
  rows: readonly Row[],
  id: (row: Row) => string,
): readonly string[] {
  return [...new Set(rows.map(id))];
}

/** The tenant's endpoints, of a tenant that the caller may see. */
function endpointsOf(
  table: ExplainSources["endpoints"],
  tenantId: string,
  callersTenant: string | null,
): ReadonlyMap<string, Endpoint> {
  const own = new Map<string, Endpoint>();
  for (const [id, endpoint] of table.entries())
    if (endpoint.tenantId === tenantId && isVisible(endpoint, callersTenant))
      own.set(id, endpoint);
  return own;
}

/** A tenant's key is told nothing of others, and not what nobody's is. */
async function hintsFor(
  reading: ExplainSources["reading"],
  { eventId, tenantId, callersTenant }: ExplainAsked,
) {
  const isOperator = callersTenant === null;
  const key = recordKeyOf(eventId);
  const isOwnKey = isOperator || key?.tenantId === callersTenant;
  const [others, ofKey, letters, newest, unreadable] = await Promise.all([
    isOperator && tenantId !== null
      ? reading.select<WhoseRow>(WHOSE_EVENT_SQL, { eventId, tenantId: "" })
      : [],
    key !== null && isOwnKey
      ? reading.select<WhoseRow>(WHOSE_EVENT_SQL, { ...key })
      : [],
    reading.select<LetterRow>(STRAY_LETTERS_SQL, {
      eventId,
      tenantId: tenantId ?? "",
    }),
    isOperator
      ? reading.select<RecordedRow>(NEWEST_SQL, {})
      : reading.select<RecordedRow>(NEWEST_OF_TENANT_SQL, {
          tenantId: callersTenant,
        }),
    isOperator
      ? reading.select<{ readonly unreadable: number }>(UNREADABLE_SQL, {})
      : [],
  ]);
  return whereToLook({
    otherTenants: others
      .map(({ tenant_id }) => tenant_id)
      .filter((id) => id !== ""),
    ofKey: ofKey.length > 0 ? key : null,
    letter: letters[0],
    newest: newest[0]?.newest ?? 0,
    unreadable: unreadable[0]?.unreadable ?? null,
  });
}
