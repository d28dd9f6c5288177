/** What is delivered, what fails, what waits and what is given up, by tenant, endpoint and type of event: from ClickHouse. */
import {
  ATTEMPTS,
  BY_HOURS,
  by,
  DEAD_LETTERS,
  DEFERRALS,
  DELIVERIES,
  HOURS,
  percentiles,
  picked,
  SIGNALS,
  type SqlDashboard,
} from "./sql-panel.ts";

const IS_DELIVERED = "outcome = 'delivered'";

export const deliveries: SqlDashboard = {
  uid: "postrider-deliveries",
  title: "Postrider deliveries",
  variables: [
    {
      name: "tenant",
      label: "Tenant",
      sql: `SELECT DISTINCT tenant_id
FROM endpoint_hour
WHERE bucket >= toStartOfHour($__fromTime) AND bucket <= $__toTime
ORDER BY tenant_id
LIMIT 1000`,
    },
    {
      name: "endpoint",
      label: "Endpoint",
      sql: `SELECT DISTINCT endpoint_id
FROM endpoint_hour
WHERE bucket >= toStartOfHour($__fromTime) AND bucket <= $__toTime${picked("tenant")}
ORDER BY endpoint_id
LIMIT 1000`,
    },
    {
      name: "type",
      label: "Event type",
      // Of the range's last day: no roll-up has the types.
      sql: `SELECT DISTINCT event_type
FROM attempts
WHERE started_at >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND started_at <= $__toTime${picked("tenant")}
ORDER BY event_type
LIMIT 1000`,
    },
  ],
  panels: [
    {
      title: "Deliveries of the events that came in, as they stand",
      about:
        "Waiting: not attempted yet, to be tried again, put off, or parked for a paused endpoint.",
      shows: { kind: "numbers", shares: ["share delivered"] },
      sql: `SELECT count() AS deliveries, countIf(status = 'delivered') AS delivered,
  countIf(status IN ('pending', 'failed')) AS waiting, countIf(status = 'expired') AS "given up",
  delivered / nullIf(deliveries, 0) AS "share delivered"
${DELIVERIES}`,
    },
    {
      title: "Deliveries by when their event came in",
      about:
        "How they stand now: a delivery moves from failed to delivered at its old place.",
      shows: { kind: "bars", unit: "short", by: "status" },
      sql: `SELECT ${by("received_at")}, status, count() AS deliveries
${DELIVERIES}
GROUP BY time, status
ORDER BY time, status`,
    },
    {
      title: "Attempts by outcome",
      about: "Everything but delivered is tried again, or given up.",
      shows: { kind: "bars", unit: "short", by: "outcome" },
      sql: `SELECT ${by("started_at")}, outcome, count() AS attempts
${ATTEMPTS}
GROUP BY time, outcome
ORDER BY time, outcome`,
    },
    {
      title: "Attempts that succeed",
      about:
        "First attempts are the earliest sign: retries hide it from the success of deliveries.",
      shows: { kind: "lines", unit: "percentunit" },
      sql: `SELECT ${by("started_at")}, countIf(${IS_DELIVERED}) / count() AS "all attempts",
  countIf(${IS_DELIVERED} AND attempt_number = 1) / nullIf(countIf(attempt_number = 1), 0) AS "first attempts"
${ATTEMPTS}
GROUP BY time
ORDER BY time`,
    },
    {
      title: "Time of an attempt",
      about: "The receivers' time.",
      shows: { kind: "lines", unit: "ms" },
      sql: `SELECT ${by("started_at")}, ${percentiles("duration_ms")}
${ATTEMPTS}
GROUP BY time
ORDER BY time`,
    },
    {
      title: "From event to success",
      about:
        "All waits and retries included; of deliveries that succeeded, by when their event came in.",
      shows: { kind: "lines", unit: "ms" },
      sql: `SELECT ${by("received_at")}, ${percentiles("greatest(dateDiff('millisecond', received_at, changed_at), 0)")}
${DELIVERIES}
  AND status = 'delivered'
GROUP BY time
ORDER BY time`,
    },
    {
      title: "From due to started",
      about:
        "What an attempt waits for its turn. Long at a few endpoints: they are slow. Long everywhere: too few dispatchers.",
      shows: { kind: "lines", unit: "ms" },
      sql: `SELECT ${by("started_at")}, ${percentiles("queue_ms")}
${ATTEMPTS}
GROUP BY time
ORDER BY time`,
    },
    {
      title: "Deferrals by reason",
      about:
        "Waits that spend no attempt. Of several for one reason in a row the first counts.",
      shows: { kind: "bars", unit: "short", by: "deferral_reason" },
      sql: `SELECT ${by("started_at")}, deferral_reason, count() AS deferrals
${DEFERRALS}
GROUP BY time, deferral_reason
ORDER BY time, deferral_reason`,
    },
    {
      title: "Dead letters by reason",
      about: "Given up, or parked for a paused endpoint.",
      shows: { kind: "bars", unit: "short", by: "reason" },
      sql: `SELECT ${by("dead_at")}, reason, count() AS letters
${DEAD_LETTERS}
GROUP BY time, reason
ORDER BY time, reason`,
    },
    {
      title: "Changes in endpoints' health",
      about:
        "Breakers that opened and closed, and endpoints that answered 410. Not by type of event. Opened and closed again and again: flapping.",
      shows: { kind: "bars", unit: "short", by: "kind" },
      sql: `SELECT ${by("at")}, kind, count() AS changes
${SIGNALS}
GROUP BY time, kind
ORDER BY time, kind`,
    },
    {
      title: "Endpoints, those with the most deliveries first",
      about: "Deliveries of the events that came in, as they stand.",
      shows: { kind: "table" },
      sql: `SELECT tenant_id, endpoint_id, count() AS deliveries, countIf(status = 'delivered') AS delivered,
  countIf(status IN ('pending', 'failed')) AS waiting, countIf(status = 'expired') AS given_up,
  round(100 * delivered / deliveries, 1) AS delivered_pct, round(avg(attempts), 2) AS attempts_each
${DELIVERIES}
GROUP BY tenant_id, endpoint_id
ORDER BY deliveries DESC, tenant_id, endpoint_id
LIMIT 100`,
    },
    {
      title: "Worst endpoints",
      about:
        "The highest share of failed attempts first; those with fewer than ten attempts are left out.",
      shows: { kind: "table" },
      sql: `SELECT tenant_id, endpoint_id, count() AS attempts, countIf(outcome != 'delivered') AS failed,
  round(100 * failed / attempts, 1) AS failed_pct, round(quantileTDigest(0.95)(duration_ms)) AS p95_ms,
  maxIf(started_at, outcome != 'delivered') AS last_failed_at, argMaxIf(error, started_at, outcome != 'delivered') AS last_error
${ATTEMPTS}
GROUP BY tenant_id, endpoint_id
HAVING attempts >= 10 AND failed > 0
ORDER BY failed_pct DESC, failed DESC, tenant_id, endpoint_id
LIMIT 50`,
    },
    {
      title: "What waits, and why",
      about:
        "Of the events that came in: for all that waits choose the last 30 days. queued waits for its first turn, retry for its next attempt, paused for a resume. Where first_due_at has passed, it was put off again, or its turn is under way.",
      shows: { kind: "table" },
      sql: `SELECT tenant_id, endpoint_id,
  multiIf(dead_letter_reason != '', dead_letter_reason, deferral_reason != '', deferral_reason, attempts > 0, 'retry', 'queued') AS why,
  count() AS waiting, min(received_at) AS oldest_at, min(next_attempt_at) AS first_due_at
${DELIVERIES}
  AND status IN ('pending', 'failed')
GROUP BY tenant_id, endpoint_id, why
ORDER BY waiting DESC, tenant_id, endpoint_id, why
LIMIT 100`,
    },
    {
      title: "Dead letters by cause",
      about: "With what the last attempt showed.",
      shows: { kind: "table" },
      sql: `SELECT reason, stage, last_outcome, last_status_code, count() AS letters,
  uniqIf(endpoint_id, endpoint_id != '') AS endpoints, max(dead_at) AS last_at, argMax(detail, dead_at) AS last_detail
${DEAD_LETTERS}
GROUP BY reason, stage, last_outcome, last_status_code
ORDER BY letters DESC, reason, stage, last_outcome, last_status_code
LIMIT 50`,
    },
    {
      title: "What attempts end with",
      about: "Whether it is their answers, their network or ours.",
      shows: { kind: "table" },
      sql: `SELECT outcome, status_code, error_code, count() AS attempts, uniq(endpoint_id) AS endpoints,
  max(started_at) AS last_at, argMax(error, started_at) AS last_error
${ATTEMPTS}
GROUP BY outcome, status_code, error_code
ORDER BY attempts DESC, outcome, status_code, error_code
LIMIT 50`,
    },
    {
      title: "Breakers that opened",
      about: "The newest first. Not by type of event.",
      shows: { kind: "table" },
      sql: `SELECT tenant_id, endpoint_id, countIf(kind = 'breaker_opened') AS opened, countIf(kind = 'breaker_closed') AS closed,
  maxIf(at, kind = 'breaker_opened') AS last_opened_at, argMaxIf(detail, at, kind = 'breaker_opened') AS last_detail
${SIGNALS}
GROUP BY tenant_id, endpoint_id
HAVING opened > 0
ORDER BY last_opened_at DESC, tenant_id, endpoint_id
LIMIT 50`,
    },
    {
      title: "Long ranges: attempts",
      about:
        "From the roll-up by hour, which is kept for 400 days. Not by type of event.",
      shows: { kind: "bars", unit: "short" },
      sql: `SELECT ${BY_HOURS}, sum(r.delivered) AS delivered, sum(r.attempts) - sum(r.delivered) AS failed
${HOURS}
GROUP BY time
ORDER BY time`,
    },
    {
      title: "Long ranges: attempts that succeed",
      about:
        "From the roll-up by hour. At first: the share of all successes that needed no retry. Not by type of event.",
      shows: { kind: "lines", unit: "percentunit" },
      sql: `SELECT ${BY_HOURS}, sum(r.delivered) / nullIf(sum(r.attempts), 0) AS "all attempts",
  sum(r.delivered_first) / nullIf(sum(r.delivered), 0) AS "at first"
${HOURS}
GROUP BY time
ORDER BY time`,
    },
    {
      title: "Long ranges: time of an attempt",
      about:
        "From the digests of the roll-up by hour, so estimated. Not by type of event.",
      shows: { kind: "lines", unit: "ms" },
      sql: `SELECT ${BY_HOURS}, (quantilesTDigestMerge(0.5, 0.95, 0.99)(r.duration_ms) AS quantiles)[1] AS p50,
  quantiles[2] AS p95, quantiles[3] AS p99
${HOURS}
GROUP BY time
ORDER BY time`,
    },
  ],
};
