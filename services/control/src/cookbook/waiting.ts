import {
  asked,
  DELIVERIES,
  during,
  ENDPOINT,
  OF_ENDPOINT,
  OF_TENANT,
  type SavedQuery,
} from "./saved-query.ts";

/** Neither delivered nor given up. What is parked waits for a resume. */
const UNDELIVERED = `${DELIVERIES}
  AND status IN ('pending', 'failed')`;

/** What waits, each with what its last attempt or deferral said of its wait; nothing where there was none yet. */
const WAITING_SINCE_THE_LAST = `FROM (
SELECT tenant_id, endpoint_id, delivery_id, received_at, attempts, dead_letter_reason
${UNDELIVERED}
  AND ${OF_ENDPOINT}
) AS undelivered
LEFT JOIN (
SELECT delivery_id, argMax(deferral_reason, step) AS reason, argMax(next_attempt_at, step) AS due_at
FROM attempts
WHERE ${during("started_at")}
  AND ${OF_TENANT}
  AND ${OF_ENDPOINT}
  AND disposition IN ('retry', 'defer')
GROUP BY delivery_id
) AS last USING (delivery_id)`;

/**
 * The deferrals, each once. There is one row for the first deferral of a delivery for a reason, so a long wait is one row. `FINAL`
 * is not needed where a row twice counts once.
 */
const DEFERRALS = `WHERE ${during("started_at")}
  AND ${OF_TENANT}
  AND attempt_number = 0`;

/** What is not delivered yet, and what was put off. */
export const WAITING: readonly SavedQuery[] = [
  {
    name: "waiting-now",
    title: "What waits now, why, and until when?",
    description:
      "Undelivered deliveries by endpoint and reason: `retry` waits for its next attempt, `queued` for its first turn, `paused` for a resume, the others were put off without spending an attempt.",
    parameters: { ...asked("3d"), endpoint: ENDPOINT },
    sql: `SELECT tenant_id, endpoint_id,
  multiIf(dead_letter_reason != '', dead_letter_reason, last.reason != '', last.reason, attempts > 0, 'retry', 'queued') AS reason,
  count() AS waiting, min(received_at) AS oldest_at,
  minIf(last.due_at, dead_letter_reason = '') AS first_due_at, maxIf(last.due_at, dead_letter_reason = '') AS last_due_at
${WAITING_SINCE_THE_LAST}
GROUP BY tenant_id, endpoint_id, reason
ORDER BY waiting DESC, tenant_id, endpoint_id, reason
LIMIT {limit:UInt32}`,
  },
  {
    name: "oldest-waiting",
    title: "Which deliveries have waited longest?",
    description:
      "Undelivered deliveries one by one, the oldest first, with what they last showed: ids for `events get`.",
    parameters: { ...asked("7d"), endpoint: ENDPOINT },
    sql: `SELECT received_at, tenant_id, endpoint_id, event_id, event_type, status, attempts, outcome, status_code, dead_letter_reason
${UNDELIVERED}
  AND ${OF_ENDPOINT}
ORDER BY received_at, delivery_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "due-next",
    title: "When does what waits come due?",
    description:
      "Undelivered deliveries by the ten minutes in which their wait ends: whether much will come at once after an outage.",
    parameters: { ...asked("3d", { limit: 144 }), endpoint: ENDPOINT },
    sql: `SELECT toStartOfInterval(assumeNotNull(last.due_at), INTERVAL 10 MINUTE) AS due_from, count() AS count,
  uniqExact(endpoint_id) AS endpoints, max(attempts) AS most_attempts
${WAITING_SINCE_THE_LAST}
WHERE dead_letter_reason = '' AND isNotNull(last.due_at)
GROUP BY due_from
ORDER BY due_from
LIMIT {limit:UInt32}`,
  },
  {
    name: "parked",
    title: "What is parked for paused endpoints?",
    description:
      "Deliveries that wait for `endpoints resume`, by endpoint; dead letters are kept for 30 days, so the oldest must not be older.",
    parameters: asked("30d"),
    sql: `SELECT tenant_id, endpoint_id, count() AS parked, min(received_at) AS oldest_at, max(received_at) AS newest_at
${UNDELIVERED}
  AND dead_letter_reason = 'paused'
GROUP BY tenant_id, endpoint_id
ORDER BY parked DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "deferrals",
    title: "What is put off, and why?",
    description:
      "Deliveries that were put off without spending an attempt, by reason, and how long the wait was to be: a breaker, a rate limit, a slow endpoint, a `Retry-After`.",
    parameters: { ...asked("1d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT deferral_reason, count() AS deferrals, uniqExact(delivery_id) AS of_deliveries, uniqExact(endpoint_id) AS endpoints,
  round(avg(dateDiff('millisecond', started_at, next_attempt_at)) / 1000, 1) AS mean_wait_s,
  round(max(dateDiff('millisecond', started_at, next_attempt_at)) / 1000, 1) AS max_wait_s
FROM attempts FINAL
${DEFERRALS}
  AND ${OF_ENDPOINT}
GROUP BY deferral_reason
ORDER BY deferrals DESC, deferral_reason`,
  },
  {
    name: "breaker-time",
    title: "How long were breakers open?",
    description:
      "From the first delivery that an open breaker put off to the next attempt that succeeded, by endpoint: an estimate, as it sees a breaker only while deliveries come.",
    parameters: asked("1d"),
    sql: `SELECT tenant_id, endpoint_id, count() AS times_open, countIf(isNull(closed_at)) AS still_open,
  round(sum(dateDiff('millisecond', opened_at, coalesce(closed_at, least({until:DateTime64(3)}, now64(3))))) / 1000, 1) AS open_s,
  sum(put_off) AS deliveries_put_off, max(opened_at) AS last_opened_at
FROM (
SELECT tenant_id, endpoint_id, closed_at, min(started_at) AS opened_at, uniqExact(delivery_id) AS put_off
FROM (
SELECT tenant_id, endpoint_id, delivery_id, started_at, deferral_reason,
  min(if(outcome = 'delivered', addMilliseconds(started_at, duration_ms), NULL)) OVER (
PARTITION BY tenant_id, endpoint_id ORDER BY started_at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
) AS closed_at
FROM attempts
WHERE ${during("started_at")}
  AND ${OF_TENANT}
  AND (outcome = 'delivered' OR deferral_reason = 'breaker_open')
  AND (tenant_id, endpoint_id) IN (
SELECT tenant_id, endpoint_id
FROM attempts
${DEFERRALS}
  AND deferral_reason = 'breaker_open'
)
)
WHERE deferral_reason = 'breaker_open'
GROUP BY tenant_id, endpoint_id, closed_at
)
GROUP BY tenant_id, endpoint_id
ORDER BY open_s DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
];
