/** What `GET /v1/events/{id}` asks ClickHouse. */

export const MAX_DELIVERIES = 1_000;
export const MAX_ATTEMPTS = 20_000;

export const EVENTS_SQL = `
SELECT tenant_id, event_id, event_type, decision, reason,
  toUnixTimestamp64Milli(occurred_at) AS occurred_at,
  toUnixTimestamp64Milli(e.received_at) AS received_at
FROM events AS e
WHERE event_id = {eventId:String} AND ({tenantId:String} = '' OR tenant_id = {tenantId:String}) AND part = 0
ORDER BY e.received_at
LIMIT 1000`;

const RECEIVED = `fromUnixTimestamp64Milli({receivedFrom:Int64}) AND fromUnixTimestamp64Milli({receivedTo:Int64})`;

/** All deliveries of an event have the event's received_at, which is in the table's key: so FINAL reads almost nothing. All rows of one agree in the conditions, so they come before its merge. */
export const DELIVERIES_SQL = `
SELECT delivery_id, endpoint_id, status, attempts, dead_letter_reason, version,
  toUnixTimestamp64Milli(d.next_attempt_at) AS next_attempt_at
FROM deliveries AS d FINAL
PREWHERE tenant_id = {tenantId:String} AND received_at BETWEEN ${RECEIVED} AND event_id = {eventId:String}
ORDER BY received_at, delivery_id
LIMIT ${MAX_DELIVERIES + 1}`;

/** A row inserted twice counts once, merged or not. An attempt begins after its event was received; the day allows for skewed clocks. */
export const ATTEMPTS_SQL = `
SELECT delivery_id, attempt_number, step, outcome, status_code, duration_ms, trigger, error, status, deferral_reason, dead_letter_reason,
  toUnixTimestamp64Milli(a.started_at) AS started_at,
  toUnixTimestamp64Milli(a.next_attempt_at) AS next_attempt_at
FROM attempts AS a
WHERE tenant_id = {tenantId:String} AND event_id = {eventId:String}
  AND a.started_at >= fromUnixTimestamp64Milli({receivedFrom:Int64}) - INTERVAL 1 DAY
ORDER BY a.started_at
LIMIT 1 BY delivery_id, attempt_number, step, a.started_at
LIMIT ${MAX_ATTEMPTS + 1}`;
