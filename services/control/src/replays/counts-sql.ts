/**
 * The SQL that counts a selection in advance, by endpoint: how many there are, how many other deliveries keep from being sent, and of how
 * many the payload is lost. It decides as the run does (candidate.ts, fate.ts), but for what only a dead letter itself tells. Pure.
 */
import { REDACTED } from "@postrider/core";
import type { LogRange } from "@postrider/messaging";
import {
  backfilledFrom,
  having,
  inWindow,
  isOfUnits,
  MAX_SKEW_MS,
  ROUTED,
  rowMatches,
  typeConditions,
  UNIT,
  UNIT_COLUMNS,
  valuesOf,
  where,
  type Selected,
  type SelectionSql,
} from "./selection-sql.ts";

const FLAGS = `countIf(status NOT IN ('expired', 'delivered')) > 0 AS is_open,
    countIf(status NOT IN ('expired', 'delivered') AND dead_letter_reason = 'paused') > 0 AS is_parked,
    countIf(status = 'delivered') > 0 AS is_delivered`;

/**
 * How many units there are for each endpoint, and how many of them are left out because of another delivery. Of those that are not,
 * `without_letter` are no more in `dead-letters`, so that the run looks for their payload in `events`; 0 where no `log` is given.
 */
export function countsSql(
  selected: Selected,
  log: readonly LogRange[] | null,
): SelectionSql {
  const units =
    log === null ? unitsOf(selected) : unitsOf(selected, hasLetter(selected));
  return {
    sql: `
SELECT tenant AS tenant_id, endpoint AS endpoint_id, count() AS total, countIf(is_parked) AS parked,
  countIf(is_open AND NOT is_parked) AS under_way,
  countIf(is_delivered AND NOT is_open${wantsDelivered(selected) ? " AND 0" : ""}) AS delivered,
  ${log === null ? "0" : `countIf(${isToSend(selected)} AND NOT has_letter)`} AS without_letter,
  min(received) AS oldest, max(received) AS newest
FROM (${units})
GROUP BY tenant, endpoint
ORDER BY total DESC, endpoint`,
    values: {
      ...valuesOf(selected, null, null),
      ...(log !== null && logValues(selected, log)),
    },
  };
}

/**
 * Of how many of these, by endpoint, `events` has no payload, or not the values of its secret headers. Inline destinations are left out: theirs are
 * in no event. The units are asked for twice, so that only their events' payloads are read: these are by far the largest column.
 */
export function lostSql(
  selected: Selected,
  log: readonly LogRange[],
): SelectionSql {
  const units = `SELECT tenant, endpoint, event_key FROM (${unitsOf(selected, hasLetter(selected))})
  WHERE ${isToSend(selected)} AND NOT has_letter AND NOT startsWith(endpoint, 'inline_')`;
  const key =
    "cityHash64(e.tenant_id, toUnixTimestamp64Milli(e.received_at), e.event_id)";
  const bounds = [
    ...(selected.tenantId === null ? [] : ["e.tenant_id = {tenantId:String}"]),
    ...inWindow("e.received_at", "received", selected.selection),
    ROUTED,
    `${key} IN (SELECT event_key FROM (${units}))`,
  ];
  return {
    sql: `
SELECT tenant AS tenant_id, endpoint AS endpoint_id, countIf(NOT is_whole) AS payload_gone, countIf(is_whole AND is_redacted) AS headers_redacted
FROM (${units}) AS unit
LEFT ANY JOIN (
  SELECT ${key} AS event_key, length(e.payload) = e.payload_bytes AS is_whole, has(mapValues(e.headers), {redacted:String}) AS is_redacted
  FROM events AS e
  WHERE ${bounds.join(" AND ")}) AS event
ON event.event_key = unit.event_key
GROUP BY tenant, endpoint`,
    values: {
      ...valuesOf(selected, null, null),
      ...logValues(selected, log),
      redacted: REDACTED,
    },
  };
}

/** How many units came in at most in each hour that has any. Without FINAL, so a delivery that changed may count more than once. */
export function hoursSql(selected: Selected): SelectionSql {
  const from =
    selected.kind === "backfill"
      ? backfilledFrom(selected, null, null)
      : `FROM deliveries AS d
WHERE ${where(selected, null, null)} AND ${rowMatches(selected)}`;
  return {
    sql: `
SELECT toUnixTimestamp(toStartOfHour(d.received_at)) * 1000 AS hour, count() AS units
${from}
GROUP BY hour
ORDER BY hour`,
    values: valuesOf(selected, null, null),
  };
}

/**
 * Dead letters that have no delivery, because their record never became one, and match all the same. Null where the selection is of
 * deliveries alone: of events, of those that are named, of what was delivered, or of an operator's SELECT of ids.
 */
export function withoutDeliverySql(selected: Selected): SelectionSql | null {
  const { kind, tenantId, selection } = selected;
  const { deliveryIds, sql, statuses, reasons, statusCode } = selection;
  if (kind === "backfill" || deliveryIds.length > 0 || sql !== null)
    return null;
  if (!statuses.includes("expired")) return null;
  // It is not known of every record when it was received.
  const received = "ifNull(l.received_at, l.dead_at)";
  const conditions = [
    "l.delivery_id = '' AND l.reason != 'paused'",
    "l.dead_at <= fromUnixTimestamp64Milli({selectedAt:Int64})",
    ...(tenantId === null ? [] : ["l.tenant_id = {tenantId:String}"]),
    ...(selection.endpointId === null
      ? []
      : ["l.endpoint_id = {endpointId:String}"]),
    ...typeConditions(selection.eventTypes),
    ...(reasons.length === 0 ? [] : ["l.reason IN {reasons:Array(String)}"]),
    ...(statusCode === null ? [] : ["l.last_status_code = {statusCode:Int32}"]),
    ...inWindow(received, "received", selection),
    ...inWindow("l.dead_at", "dead", selection),
  ];
  return {
    sql: `
SELECT reason, count() AS letters
FROM dead_letters AS l FINAL
WHERE ${conditions.join(" AND ")}
GROUP BY reason
ORDER BY letters DESC, reason`,
    values: valuesOf(selected, null, null),
  };
}

/** No other delivery keeps the unit from being sent. */
function isToSend(selected: Selected): string {
  return wantsDelivered(selected)
    ? "NOT is_open"
    : "NOT is_open AND NOT is_delivered";
}

/** One of the unit's deliveries has a dead letter that the log still holds. */
function hasLetter(selected: Selected): string {
  return `countIf(status = 'expired' AND cityHash64(delivery_id) IN (${keptLetters(selected)})) > 0 AS has_letter`;
}

/** The deliveries of which the log still has a dead letter. */
function keptLetters({ tenantId, selection }: Selected): string {
  const conditions = [
    ...(tenantId === null ? [] : ["l.tenant_id = {tenantId:String}"]),
    ...(selection.endpointId === null
      ? []
      : ["l.endpoint_id = {endpointId:String}"]),
    ...(selection.receivedSince === null
      ? []
      : ["l.dead_at >= fromUnixTimestamp64Milli({lettersSince:Int64})"]),
    "l.reason != 'paused'",
    "l.log_offset >= {logStarts:Array(Int64)}[l.log_partition + 1]",
    "l.log_offset < {logEnds:Array(Int64)}[l.log_partition + 1]",
  ];
  return `SELECT cityHash64(l.delivery_id) FROM dead_letters AS l WHERE ${conditions.join(" AND ")}`;
}

/** By partition; one that the log does not have begins and ends at 0, so it has no letter. */
function logValues(
  { selection }: Selected,
  log: readonly LogRange[],
): Record<string, unknown> {
  const size = Math.max(0, ...log.map(({ partition }) => partition + 1));
  const logStarts = Array.from({ length: size }, () => 0);
  const logEnds = Array.from({ length: size }, () => 0);
  for (const { partition, start, end } of log) {
    logStarts[partition] = start;
    logEnds[partition] = end;
  }
  return {
    logStarts,
    logEnds,
    lettersSince: (selection.receivedSince ?? 0) - MAX_SKEW_MS,
  };
}

/** Each unit with what its deliveries say of it. Grouped by a hash: in the order of the table's key it would take twenty times as long. */
function unitsOf(selected: Selected, more?: string): string {
  const flags = more === undefined ? FLAGS : `${FLAGS},\n    ${more}`;
  if (selected.kind === "backfill") return backfillUnitsOf(selected, flags);
  return `
  SELECT any(tenant_id) AS tenant, any(endpoint_id) AS endpoint, any(toUnixTimestamp64Milli(d.received_at)) AS received,
    any(cityHash64(tenant_id, toUnixTimestamp64Milli(d.received_at), event_id)) AS event_key,
    ${flags}
  FROM deliveries AS d FINAL
  WHERE ${where(selected, null, null)} AND ${isOfUnits(selected, null, null)}
  GROUP BY cityHash64(${UNIT})
  ${having(selected)}`;
}

/** A backfill's events, those with a delivery to the endpoint and those without. */
function backfillUnitsOf(selected: Selected, flags: string): string {
  return `
  SELECT d.tenant_id AS tenant, d.endpoint_id AS endpoint, d.received AS received,
    cityHash64(d.tenant_id, d.received, d.event_id) AS event_key, found.* EXCEPT (tenant_id, received, event_id, endpoint_id)
  FROM (
    SELECT ${UNIT_COLUMNS}
    ${backfilledFrom(selected, null, null)}
    GROUP BY ${UNIT}) AS d
  LEFT JOIN (
    SELECT ${UNIT_COLUMNS}, ${flags}
    FROM deliveries AS d FINAL
    WHERE ${where(selected, null, null)}
    GROUP BY ${UNIT}) AS found
  ON found.event_id = d.event_id AND found.received = d.received`;
}

function wantsDelivered({ selection }: Selected): boolean {
  return selection.statuses.includes("delivered");
}
