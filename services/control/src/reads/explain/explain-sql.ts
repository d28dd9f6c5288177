/** What `GET /v1/events/{id}/explain` asks ClickHouse, and the rows that it gets. Every question but the first two names the tenant. */
import type { EpochMs } from "@postrider/core";
import type { AttemptRow, DeliveryRow } from "../event-view.ts";

/** So many arrivals of one event are shown, and so many deliveries. */
export const MAX_ARRIVALS = 20;
export const MAX_DELIVERIES = 50;
export const MAX_ATTEMPTS = 5_000;
/** More tenants than that with one event id are not named. */
const MAX_TENANTS = 20;

const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`;
const at = (parameter: string): string =>
  `fromUnixTimestamp64Milli({${parameter}:Int64})`;

const OF_ASKED =
  "event_id = {eventId:String} AND ({tenantId:String} = '' OR tenant_id = {tenantId:String})";
const OF_EVENT =
  "tenant_id = {tenantId:String} AND event_id = {eventId:String}";

export interface WhoseRow {
  readonly tenant_id: string;
  readonly type: string;
  /** When it came in, of each arrival; at most `MAX_ARRIVALS`. */
  readonly times: readonly EpochMs[];
}

/** Whose event it is. `tenantId` '': of any tenant. */
export const WHOSE_EVENT_SQL = whoseSql("events", "AND part = 0");
/** The same where no arrival is recorded: a test event has none, and the recorder may have its attempts first. */
export const WHOSE_DELIVERY_SQL = whoseSql("deliveries", "");

function whoseSql(table: string, and: string): string {
  return `
SELECT tenant_id, any(event_type) AS type, groupUniqArray(${MAX_ARRIVALS})(${ms("r.received_at")}) AS times
FROM ${table} AS r
WHERE ${OF_ASKED} ${and}
GROUP BY tenant_id
ORDER BY tenant_id
LIMIT ${MAX_TENANTS}`;
}

/** A record that came in, as `events` has it. Empty texts stand for null. */
export interface ArrivalRow {
  readonly event_type: string;
  readonly decision: string;
  readonly reason: string;
  readonly field: string;
  readonly rule: string;
  readonly payload_bytes: number;
  readonly no_match_count: number;
  readonly occurredAt: EpochMs | null;
  readonly receivedAt: EpochMs;
  readonly decidedAt: EpochMs;
  readonly source_topic: string;
  readonly source_partition: number;
  readonly source_offset: number;
  /** Of the event in all. */
  readonly arrivals: number;
}

/**
 * The arrival that counts comes first: one that was decided by the endpoints, then one that was turned away, then duplicates. A row inserted
 * twice counts once. A route that was killed before it committed decides the same record again, and the endpoints may have changed meanwhile:
 * then the decision that made deliveries counts, for they are sent, else the later one. Once ClickHouse has merged the rows, the one that was
 * inserted last is all that is left.
 */
export const ARRIVALS_SQL = `
SELECT event_type, decision, reason, field, rule, payload_bytes, no_match_count,
  ${ms("occurred_at")} AS occurredAt, ${ms("received_at")} AS receivedAt, ${ms("decided_at")} AS decidedAt,
  source_topic, source_partition, source_offset, count() OVER () AS arrivals
FROM (
  SELECT event_type, decision, reason, field, rule, payload_bytes, no_match_count, occurred_at, received_at, decided_at,
    source_topic, source_partition, source_offset
  FROM events
  WHERE ${OF_EVENT} AND part = 0
  ORDER BY decision = 'routed' DESC, decided_at DESC
  LIMIT 1 BY source_topic, source_partition, source_offset
)
ORDER BY indexOf(['routed', 'filtered', 'no_match', 'refused', 'invalid', 'duplicate'], decision), received_at, source_offset
LIMIT ${MAX_ARRIVALS}`;

/** The endpoints that the decision about one arrival named, of all its parts. */
export interface NamedRow {
  readonly sent: readonly string[];
  readonly paused: readonly string[];
  readonly disabled: readonly string[];
  readonly filtered: readonly string[];
}

const OF_ARRIVAL =
  "source_topic = {topic:String} AND source_partition = {partition:Int32} AND source_offset = {offset:Int64}";

/** All parts of one decision have one time. */
export const NAMED_SQL = `
SELECT groupArrayArray(endpoint_ids) AS sent, groupArrayArray(paused_endpoint_ids) AS paused,
  groupArrayArray(disabled_endpoint_ids) AS disabled, groupArrayArray(filtered_endpoint_ids) AS filtered
FROM (
  SELECT endpoint_ids, paused_endpoint_ids, disabled_endpoint_ids, filtered_endpoint_ids
  FROM events
  WHERE ${OF_EVENT} AND ${OF_ARRIVAL} AND decision = {decision:String} AND decided_at = ${at("decidedAt")}
  ORDER BY part
  LIMIT 1 BY part
)`;

/** By the times of the arrivals, and not by the days between them, which FINAL would read. A subquery, because ClickHouse finds no granule of the key by an array that a lambda makes. */
const OF_DELIVERIES = `FROM deliveries AS d FINAL
WHERE ${OF_EVENT} AND d.received_at IN (SELECT fromUnixTimestamp64Milli(arrayJoin({receivedAt:Array(Int64)})))`;

export interface ExplainedDeliveryRow extends DeliveryRow {
  readonly replay_id: string;
  readonly attempts: number;
  readonly deferral_reason: string;
}

/** What has not arrived comes first. An event that was routed twice has a row per arrival and delivery; the newest counts. */
export const DELIVERIES_SQL = `
SELECT * FROM (
  SELECT delivery_id, endpoint_id, status, replay_id, attempts, deferral_reason, dead_letter_reason, version,
    ${ms("d.next_attempt_at")} AS next_attempt_at
  ${OF_DELIVERIES}
  ORDER BY version DESC
  LIMIT 1 BY delivery_id
)
ORDER BY indexOf(['pending', 'failed', 'expired', 'delivered'], status), delivery_id
LIMIT ${MAX_DELIVERIES + 1}`;

export interface CountsRow {
  readonly deliveries: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly parked: number;
  readonly givenUp: number;
}

/** How many endpoints the event has reached, waits for, and so on, each counted once, whatever deliveries a replay has added. */
export const COUNTS_SQL = `
SELECT sum(n) AS deliveries, countIf(best = 3) AS delivered, countIf(best = 2) AS waiting, countIf(best = 1) AS parked, countIf(best = 0) AS givenUp
FROM (
  SELECT endpoint_id, uniqExact(delivery_id) AS n,
    max(multiIf(status = 'delivered', 3, status = 'expired', 0, dead_letter_reason = 'paused', 1, 2)) AS best
  ${OF_DELIVERIES}
  GROUP BY endpoint_id
)`;

export interface ExplainedAttemptRow extends AttemptRow {
  readonly tier: string;
}

/** An attempt begins after its event was received; the day allows for skewed clocks. */
export const ATTEMPTS_SQL = `
SELECT delivery_id, attempt_number, step, outcome, status_code, duration_ms, trigger, error, status, tier, deferral_reason, dead_letter_reason,
  ${ms("a.started_at")} AS started_at, ${ms("a.next_attempt_at")} AS next_attempt_at
FROM attempts AS a
WHERE ${OF_EVENT} AND endpoint_id IN {endpointIds:Array(String)} AND delivery_id IN {deliveryIds:Array(String)}
  AND a.started_at >= ${at("from")} - INTERVAL 1 DAY
ORDER BY a.started_at
LIMIT 1 BY delivery_id, attempt_number, step, a.started_at
LIMIT ${MAX_ATTEMPTS + 1}`;

export interface LetterRow {
  /** Empty: of the event's own record. */
  readonly delivery_id: string;
  readonly reason: string;
  readonly detail: string;
  readonly deadAt: EpochMs;
  readonly log_topic: string;
  readonly log_partition: number;
  readonly log_offset: number;
}

/** The newest dead letter of each delivery, and of the record of the arrival that counts. */
export const LETTERS_SQL = `
SELECT delivery_id, reason, detail, ${ms("l.dead_at")} AS deadAt, log_topic, log_partition, log_offset
FROM dead_letters AS l
WHERE ${OF_EVENT} AND endpoint_id IN {endpointIds:Array(String)}
  AND (delivery_id = '' AND ${OF_ARRIVAL} OR has({deliveryIds:Array(String)}, delivery_id))
  AND l.dead_at >= ${at("from")} - INTERVAL 1 DAY
ORDER BY l.dead_at DESC
LIMIT 1 BY delivery_id`;

export interface BreakerRow {
  readonly endpoint_id: string;
  readonly kind: string;
  readonly detail: string;
  readonly seenAt: EpochMs;
}

/** What each endpoint's breaker did last. */
export const BREAKERS_SQL = `
SELECT endpoint_id, argMax(s.kind, s.at) AS kind, argMax(s.detail, s.at) AS detail, max(${ms("s.at")}) AS seenAt
FROM signals AS s
WHERE tenant_id = {tenantId:String} AND endpoint_id IN {endpointIds:Array(String)} AND s.kind IN ('breaker_opened', 'breaker_closed')
GROUP BY endpoint_id`;

/** Dead letters that name an event of which nothing else is recorded. */
export const STRAY_LETTERS_SQL = `
SELECT delivery_id, reason, detail, ${ms("l.dead_at")} AS deadAt, log_topic, log_partition, log_offset
FROM dead_letters AS l
WHERE ${OF_ASKED}
ORDER BY l.dead_at DESC
LIMIT 1`;

export interface RecordedRow {
  /** 0: nothing is recorded. */
  readonly newest: EpochMs;
}

/** When the newest event that is recorded came in. Without a condition: ClickHouse has this beside each part of the table. */
export const NEWEST_SQL = `SELECT ${ms("max(received_at)")} AS newest FROM events`;
/** The same of one tenant, of a day at most. */
export const NEWEST_OF_TENANT_SQL = `
SELECT ${ms("max(received_at)")} AS newest FROM events
WHERE tenant_id = {tenantId:String} AND received_at >= now() - INTERVAL 1 DAY`;

/** Records of the last day that nobody could read: their ids are not known. */
export const UNREADABLE_SQL = `
SELECT count() AS unreadable FROM dead_letters AS l
WHERE l.tenant_id = '' AND l.endpoint_id = '' AND l.event_id = '' AND l.dead_at >= now() - INTERVAL 1 DAY`;
