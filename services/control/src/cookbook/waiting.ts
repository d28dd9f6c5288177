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

/**
 * What waits, each with what its last attempt or deferral said of its wait; nothing where there was none yet. That row may be younger
 * than `until`, which bounds the events. A delivery that was resumed and then put off may still say that it is parked; the step of its
 * last row is then later.
 */
function waiting(of: {
  readonly attempts: string;
  readonly deliveries: string;
}): string {
  return `FROM (
SELECT tenant_id, endpoint_id, delivery_id, received_at, attempts, dead_letter_reason, step
${UNDELIVERED}
  AND ${of.deliveries}
) AS undelivered
LEFT JOIN (
SELECT delivery_id, max(step) AS last_step, argMax(deferral_reason, step) AS last_reason, argMax(tier, step) AS last_tier, argMax(next_attempt_at, step) AS due_at
FROM attempts
WHERE started_at >= {since:DateTime64(3)}
  AND ${OF_TENANT}
  AND ${of.attempts}
  AND disposition IN ('retry', 'defer')
GROUP BY delivery_id
) AS last USING (delivery_id)`;
}

const IS_PARKED = "(dead_letter_reason != '' AND last_step <= step)";

const REASON = `multiIf(${IS_PARKED}, 'paused', last_reason != '', last_reason, attempts > 0, 'retry', 'queued')`;

const WAITING_OF_ENDPOINT = waiting({
  attempts: OF_ENDPOINT,
  deliveries: OF_ENDPOINT,
});

/** Of the attempts only those of endpoints that had something parked are read. */
const PARKED = waiting({
  attempts: `(tenant_id, endpoint_id) IN (
SELECT tenant_id, endpoint_id
FROM dead_letters
WHERE dead_at >= {since:DateTime64(3)}
  AND ${OF_TENANT}
  AND reason = 'paused'
)`,
  deliveries: "dead_letter_reason = 'paused'",
});

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
      "Undelivered deliveries by endpoint and reason: `retry` waits for its next attempt, `queued` for its first turn, `paused` for a resume, the others were put off without spending an attempt. Due is the end of the first wait for that reason: where it has passed, they were put off again, or their turn is under way. `until` bounds when the events came; how they stand is as of now. What a resume has sent is `paused` until its attempt or deferral.",
    parameters: { ...asked("30d"), endpoint: ENDPOINT },
    sql: `SELECT tenant_id, endpoint_id,
  ${REASON} AS reason,
  count() AS waiting, min(received_at) AS oldest_at,
  minIf(due_at, NOT ${IS_PARKED}) AS first_due_at, maxIf(due_at, NOT ${IS_PARKED}) AS last_due_at
${WAITING_OF_ENDPOINT}
GROUP BY tenant_id, endpoint_id, reason
ORDER BY waiting DESC, tenant_id, endpoint_id, reason
LIMIT {limit:UInt32}`,
  },
  {
    name: "waiting-by-tier",
    title: "In which tier does what waits wait?",
    description:
      "Undelivered deliveries by reason, as in `waiting-now`, and by the tier of their last wait: what an outage has put where. What is `queued` or `paused` is in no tier.",
    parameters: { ...asked("30d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT ${REASON} AS reason, if(${IS_PARKED}, '', last_tier) AS tier, count() AS waiting, min(received_at) AS oldest_at
${WAITING_OF_ENDPOINT}
GROUP BY reason, tier
ORDER BY waiting DESC, reason, tier`,
  },
  {
    name: "oldest-waiting",
    title: "Which deliveries have waited longest?",
    description:
      "Undelivered deliveries one by one, the oldest first, with what they last showed: ids for `events get`. What a resume has sent may show as `paused` until its attempt.",
    parameters: { ...asked("30d"), endpoint: ENDPOINT },
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
      "Undelivered deliveries by the ten minutes in which their wait ends: whether much will come at once after an outage. Times are as in `waiting-now`, so some may have passed; what is parked, or waits for its first turn, has none and is left out.",
    parameters: { ...asked("30d", { limit: 144 }), endpoint: ENDPOINT },
    sql: `SELECT toStartOfInterval(assumeNotNull(due_at), INTERVAL 10 MINUTE) AS due_from, count() AS count,
  uniqExact(endpoint_id) AS endpoints, max(attempts) AS most_attempts
${WAITING_OF_ENDPOINT}
WHERE NOT ${IS_PARKED} AND isNotNull(due_at)
GROUP BY due_from
ORDER BY due_from
LIMIT {limit:UInt32}`,
  },
  {
    name: "parked",
    title: "What is parked for paused endpoints?",
    description:
      "Deliveries that wait for `endpoints resume`, by endpoint; dead letters are kept for 30 days, so the oldest must not be older. What a resume has sent is left out from its attempt or deferral on.",
    parameters: asked("30d"),
    sql: `SELECT tenant_id, endpoint_id, count() AS parked, min(received_at) AS oldest_at, max(received_at) AS newest_at
${PARKED}
WHERE ${IS_PARKED}
GROUP BY tenant_id, endpoint_id
ORDER BY parked DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "deferrals",
    title: "What is put off, and why?",
    description:
      "Deliveries that were put off without spending an attempt, by reason, and how long the wait was to be: a breaker, a rate limit, a slow endpoint, a `Retry-After`. Fewer than the metric `postrider_deliveries_deferred_total` counts: that counts every departure into a tier, and here is the first of a delivery for a reason, until another reason or an attempt comes between.",
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
      "From the first delivery that an open breaker put off to the next attempt that succeeded, by endpoint: an estimate, as it sees a breaker only while deliveries come. `still_open` is as of `until`.",
    parameters: asked("1d"),
    // The frame goes backwards in time, so that it only grows: one with a moving start is aggregated again for each row.
    sql: `SELECT tenant_id, endpoint_id, count() AS times_open, countIf(isNull(closed_at)) AS still_open,
  round(sum(dateDiff('millisecond', opened_at, coalesce(closed_at, least({until:DateTime64(3)}, now64(3))))) / 1000, 1) AS open_s,
  sum(put_off) AS deliveries_put_off, max(opened_at) AS last_opened_at
FROM (
SELECT tenant_id, endpoint_id, closed_at, min(started_at) AS opened_at, uniqExact(delivery_id) AS put_off
FROM (
SELECT tenant_id, endpoint_id, delivery_id, started_at, deferral_reason,
  min(if(outcome = 'delivered', addMilliseconds(started_at, duration_ms), NULL)) OVER (
PARTITION BY tenant_id, endpoint_id ORDER BY started_at DESC RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
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
