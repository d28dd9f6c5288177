/**
 * The SQL of a selection over the table `deliveries`. Pure. Its unit is an event and an endpoint: all deliveries of the two have the same
 * `received_at`, so they are neighbours in the table, and FINAL reads only them. An operator's SQL is written into the text as a subquery.
 */
import type { EpochMs, Replay, ReplayPlace } from "@postrider/core";
import { isOfTypesSql, typeValues } from "../http/types-sql.ts";

/** What of a replay says which deliveries it selects. */
export type Selected = Pick<
  Replay,
  "kind" | "tenantId" | "selection" | "selectedAt"
>;

export interface SelectionSql {
  readonly sql: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export const UNIT = "tenant_id, d.received_at, event_id, endpoint_id";
/**
 * ClickHouse drops rows that are as old as the table's TTL part by part. Of a day that has begun to go, it may have dropped the row that says
 * that a unit was delivered, and still have the one that says that it has expired. `wholeDays` is what `whole-days.ts` reads; whoever asks adds it.
 */
const IS_WHOLE =
  "d.received_at >= toDateTime64(toStartOfDay(now('UTC')) - toIntervalDay({wholeDays:Int32}), 3, 'UTC')";
/** The row of `events` that has an event's payload. A duplicate of it has a row of its own, and no payload of ours was made of that. */
export const ROUTED =
  "part = 0 AND decision IN ('routed', 'no_match', 'filtered')";
/** The broker says when an event was received, and the dispatcher when it was given up. Their clocks may differ by so much. */
export const MAX_SKEW_MS = 3_600_000;
export const UNIT_COLUMNS =
  "tenant_id, toUnixTimestamp64Milli(d.received_at) AS received, event_id, endpoint_id";

/**
 * A backfill's units are events, whether routed to other endpoints or to none, and its one endpoint. Not an event with a destination of its
 * own: that was meant for nobody else.
 */
export function backfilledFrom(
  selected: Selected,
  after: ReplayPlace | null,
  upTo: ReplayPlace | null,
): string {
  return `FROM (
  SELECT tenant_id, received_at, event_id, event_type, {endpointId:String} AS endpoint_id
  FROM events
  WHERE ${ROUTED}
    AND decided_at <= fromUnixTimestamp64Milli({selectedAt:Int64})
    AND NOT arrayExists(id -> startsWith(id, 'inline_'), endpoint_ids)
  ) AS d
WHERE ${where(selected, after, upTo)}`;
}

/** The next `limit` units after `after` of which a row matches. Without FINAL, so an older version may match: the next query looks again. */
export function unitsSql(
  selected: Selected,
  after: ReplayPlace | null,
  limit: number,
): SelectionSql {
  return {
    sql: `
SELECT ${UNIT_COLUMNS}
${
  selected.kind === "backfill"
    ? backfilledFrom(selected, after, null)
    : `FROM deliveries AS d
WHERE ${where(selected, after, null)} AND ${rowMatches(selected)}`
}
GROUP BY ${UNIT}
ORDER BY ${UNIT}
LIMIT {limit:UInt32}`,
    values: { ...valuesOf(selected, after, null), limit },
  };
}

/** The units after `after` and up to `upTo` of which a row matches, with every delivery of each. */
export function candidatesSql(
  selected: Selected,
  after: ReplayPlace | null,
  upTo: ReplayPlace,
): SelectionSql {
  return {
    sql: `
SELECT ${UNIT_COLUMNS},
  groupArray(delivery_id) AS ids, groupArray(status) AS statuses, groupArray(dead_letter_reason) AS reasons
FROM deliveries AS d FINAL
WHERE ${where(selected, after, upTo)} AND ${isOfUnits(selected, after, upTo)}
GROUP BY ${UNIT}
${having(selected)}
ORDER BY ${UNIT}`,
    values: valuesOf(selected, after, upTo),
  };
}

/** Where `dead-letters` has the deliveries of these units; of a delivery with several dead letters the newest. `oldest`: before that none of them is dead. */
export function lettersSql(
  selected: Selected,
  after: ReplayPlace | null,
  upTo: ReplayPlace,
  oldest: EpochMs,
): SelectionSql {
  // The first two columns of the table's key, and its partition: otherwise every page would read all dead letters.
  const bounds = [
    "l.tenant_id <= {upToTenant:String}",
    ...(after === null ? [] : ["l.tenant_id >= {afterTenant:String}"]),
    ...(selected.tenantId === null ? [] : ["l.tenant_id = {tenantId:String}"]),
    ...(selected.selection.endpointId === null
      ? []
      : ["l.endpoint_id = {endpointId:String}"]),
    "l.dead_at >= fromUnixTimestamp64Milli({oldest:Int64})",
  ];
  return {
    sql: `
SELECT delivery_id, log_partition, log_offset
FROM dead_letters AS l
WHERE ${bounds.join(" AND ")} AND l.reason != 'paused' AND delivery_id IN (
  SELECT delivery_id FROM deliveries AS d
  WHERE ${where(selected, after, upTo)} AND status = 'expired' AND ${isOfUnits(selected, after, upTo)})
ORDER BY l.dead_at DESC
LIMIT 1 BY delivery_id`,
    values: { ...valuesOf(selected, after, upTo), oldest },
  };
}

/** What is recorded of the deliveries that are named, before `selectedAt` or later. */
export function namedSql(selected: Selected): SelectionSql {
  return {
    sql: `
SELECT DISTINCT delivery_id, endpoint_id, toUnixTimestamp64Milli(d.received_at) AS received
FROM deliveries AS d
WHERE ${where(selected, null, null)} AND delivery_id IN {deliveryIds:Array(String)}`,
    values: valuesOf(selected, null, null),
  };
}

/** The event as it was routed. */
export function eventSql(of: ReplayPlace): SelectionSql {
  return {
    sql: `
SELECT event_type, toUnixTimestamp64Milli(e.occurred_at) AS occurred, content_type, headers, base64Encode(e.payload) AS payload, payload_bytes,
  source_topic, source_partition, source_offset
FROM events AS e
WHERE tenant_id = {tenantId:String} AND event_id = {eventId:String}
  AND e.received_at = fromUnixTimestamp64Milli({received:Int64}) AND ${ROUTED}
LIMIT 1`,
    values: {
      tenantId: of.tenantId,
      eventId: of.eventId,
      received: of.receivedAt,
    },
  };
}

/**
 * Whether a delivery is of a unit that matches. Between two of them the table may have millions that do not: they are not to be grouped,
 * and their dead letters not to be looked for. By a hash, which takes a tenth of the memory; a unit too many does no harm.
 */
export function isOfUnits(
  selected: Selected,
  after: ReplayPlace | null,
  upTo: ReplayPlace | null,
): string {
  const unit = "cityHash64(event_id, endpoint_id)";
  return selected.kind === "backfill"
    ? "1"
    : `${unit} IN (
  SELECT ${unit} FROM deliveries AS d
  WHERE ${where(selected, after, upTo)} AND ${rowMatches(selected)})`;
}

export function having(selected: Selected): string {
  return selected.kind === "backfill"
    ? ""
    : `HAVING countIf(${rowMatches(selected)}) > 0`;
}

/** Conditions that hold for all deliveries of a unit or for none, and the bounds. */
export function where(
  { tenantId, selection }: Selected,
  after: ReplayPlace | null,
  upTo: ReplayPlace | null,
): string {
  const conditions = [
    IS_WHOLE,
    ...(tenantId === null ? [] : ["tenant_id = {tenantId:String}"]),
    ...(selection.endpointId === null
      ? []
      : ["endpoint_id = {endpointId:String}"]),
    ...typeConditions(selection.eventTypes),
    ...inWindow("d.received_at", "received", selection),
    ...(after === null ? [] : [bound("after", ">")]),
    ...(upTo === null ? [] : [bound("upTo", "<")]),
  ];
  return conditions.join(" AND ");
}

/** Written out, because ClickHouse finds no range of its key in a comparison of tuples. */
function bound(name: "after" | "upTo", than: "<" | ">"): string {
  const tenant = `{${name}Tenant:String}`;
  const received = `fromUnixTimestamp64Milli({${name}Received:Int64})`;
  const rest = than === "<" ? "<=" : ">";
  return `tenant_id ${than}= ${tenant} AND (tenant_id ${than} ${tenant} OR d.received_at ${than} ${received} OR (d.received_at = ${received} AND (event_id, endpoint_id) ${rest} ({${name}Event:String}, {${name}Endpoint:String})))`;
}

export function typeConditions(patterns: readonly string[]): string[] {
  if (patterns.length === 0 || patterns.includes("*")) return [];
  return [isOfTypesSql("event_type")];
}

/** The parameters of `valuesOf` that hold the ends of each window. */
const ENDS = {
  received: ["since", "until"],
  dead: ["deadSince", "deadUntil"],
} as const;

/** That a time lies in a window of the selection, either end of which may be open. */
export function inWindow(
  time: string,
  window: keyof typeof ENDS,
  selection: Selected["selection"],
): string[] {
  const [since, until] = ENDS[window];
  return [
    ...(selection[`${window}Since`] === null
      ? []
      : [`${time} >= fromUnixTimestamp64Milli({${since}:Int64})`]),
    ...(selection[`${window}Until`] === null
      ? []
      : [`${time} < fromUnixTimestamp64Milli({${until}:Int64})`]),
  ];
}

/** Whether a delivery is selected itself. Deliveries that are named are looked at in every status, so that what is left out is told. */
export function rowMatches({ selection }: Selected): string {
  const { deliveryIds, sql, reasons, statusCode } = selection;
  if (deliveryIds.length > 0)
    return "delivery_id IN {deliveryIds:Array(String)}";
  return [
    "status IN {statuses:Array(String)}",
    "changed_at <= fromUnixTimestamp64Milli({selectedAt:Int64})",
    ...(reasons.length === 0
      ? []
      : ["dead_letter_reason IN {reasons:Array(String)}"]),
    ...(statusCode === null ? [] : ["status_code = {statusCode:Int32}"]),
    // Of a delivery that has expired this is when it was given up, and a redrive, which is another delivery, does not change it.
    ...inWindow("changed_at", "dead", selection),
    ...(sql === null ? [] : [`delivery_id IN (\n${sql}\n)`]),
  ].join(" AND ");
}

/** Every parameter that may be in a text; ClickHouse passes over those that are not. */
export function valuesOf(
  { tenantId, selection, selectedAt }: Selected,
  after: ReplayPlace | null,
  upTo: ReplayPlace | null,
): Record<string, unknown> {
  const { receivedSince, receivedUntil, deadSince, deadUntil } = selection;
  const placeOf = (name: string, place: ReplayPlace | null) =>
    place === null
      ? {}
      : {
          [`${name}Tenant`]: place.tenantId,
          [`${name}Received`]: place.receivedAt,
          [`${name}Event`]: place.eventId,
          [`${name}Endpoint`]: place.endpointId,
        };
  return {
    tenantId: tenantId ?? "",
    endpointId: selection.endpointId ?? "",
    ...typeValues(selection.eventTypes),
    deliveryIds: selection.deliveryIds,
    statuses: selection.statuses,
    reasons: selection.reasons,
    statusCode: selection.statusCode ?? 0,
    since: receivedSince ?? 0,
    until: receivedUntil ?? 0,
    deadSince: deadSince ?? 0,
    deadUntil: deadUntil ?? 0,
    selectedAt,
    ...placeOf("after", after),
    ...placeOf("upTo", upTo),
  };
}
