import { DEAD_LETTER_GROUPS } from "./dead-letter-groups.ts";
import {
  asked,
  ATTEMPTS,
  DEAD_LETTERS,
  DELIVERIES,
  during,
  ENDPOINT,
  NO_REPLAY,
  OF_ENDPOINT,
  OF_TENANT,
  type SavedQuery,
} from "./saved-query.ts";

/** How deliveries end, and after how many attempts. */
export const RETRIES: readonly SavedQuery[] = [
  {
    name: "time-to-success",
    title: "How long does a delivery take?",
    description:
      "From received to delivered, retries and waits included, by tenant: what a customer means by late. What a replay sent is left out. A delivery that was made twice, after a crash, may count with its second request.",
    parameters: asked("1d"),
    sql: `SELECT tenant_id, count() AS delivered,
  (quantilesExact(0.5, 0.95, 0.99)(dateDiff('millisecond', received_at, changed_at)) AS quantiles)[1] AS p50_ms,
  quantiles[2] AS p95_ms, quantiles[3] AS p99_ms,
  max(dateDiff('millisecond', received_at, changed_at)) AS max_ms, round(avg(attempts), 2) AS attempts_each
${DELIVERIES}
  AND ${NO_REPLAY}
  AND status = 'delivered'
GROUP BY tenant_id
ORDER BY p95_ms DESC, tenant_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "delivery-states",
    title: "How do the deliveries stand?",
    description:
      "Deliveries by status, and why they were given up or parked: the sum of everything. What a resume has sent may show as `paused` until its attempt.",
    parameters: { ...asked("1d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT status, dead_letter_reason, count() AS count, min(received_at) AS oldest_at, max(received_at) AS newest_at
${DELIVERIES}
  AND ${OF_ENDPOINT}
GROUP BY status, dead_letter_reason
ORDER BY count DESC, status, dead_letter_reason`,
  },
  {
    name: "retries-by-depth",
    title: "What do retries bring?",
    description:
      "Attempts by their number, how many succeed, and the share of all successes reached by then: where a shorter schedule would cost nothing.",
    parameters: { ...asked("7d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT attempt_number, count() AS attempts, countIf(outcome = 'delivered') AS delivered,
  round(100 * delivered / attempts, 1) AS success_pct,
  round(100 * sum(delivered) OVER (ORDER BY attempt_number) / greatest(sum(delivered) OVER (), 1), 1) AS delivered_by_then_pct
${ATTEMPTS}
  AND ${OF_ENDPOINT}
GROUP BY attempt_number
ORDER BY attempt_number`,
  },
  {
    name: "first-attempts",
    title: "Do first attempts succeed less than they did?",
    description:
      "Share of first attempts that succeeded, by day: the earliest sign, which retries hide from the success of deliveries. What a replay sent is left out. The first and the last day are those parts of them that are in the window.",
    parameters: { ...asked("14d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT toDate(started_at) AS day, count() AS first_attempts, countIf(outcome = 'delivered') AS delivered,
  round(100 * delivered / first_attempts, 1) AS success_pct
${ATTEMPTS}
  AND ${OF_ENDPOINT}
  AND ${NO_REPLAY}
  AND attempt_number = 1
GROUP BY day
ORDER BY day`,
  },
  {
    name: "given-up",
    title: "Whose deliveries are given up?",
    description:
      "Endpoints with deliveries that expired, what share of theirs that is, and the attempts that were spent on them in vain.",
    parameters: asked("7d"),
    sql: `SELECT tenant_id, endpoint_id, count() AS of_deliveries, countIf(status = 'expired') AS expired,
  round(100 * expired / of_deliveries, 1) AS expired_pct, sumIf(attempts, status = 'expired') AS attempts_in_vain
${DELIVERIES}
GROUP BY tenant_id, endpoint_id
HAVING expired > 0
ORDER BY expired DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "dead-letters",
    title: "What became a dead letter, and why?",
    description:
      "Dead letters by reason and last answer, with the newest detail: records that could not be read have the stage that met them and no endpoint.",
    parameters: { ...asked("7d"), endpoint: ENDPOINT },
    sql: `SELECT reason, stage, last_outcome, last_status_code, count() AS letters,
  uniqExactIf(endpoint_id, endpoint_id != '') AS endpoints, max(dead_at) AS last_at, argMax(detail, dead_at) AS last_detail
${DEAD_LETTERS}
  AND ${OF_ENDPOINT}
GROUP BY reason, stage, last_outcome, last_status_code
ORDER BY letters DESC, reason, stage, last_outcome, last_status_code
LIMIT {limit:UInt32}`,
  },
  DEAD_LETTER_GROUPS,
  {
    name: "gone-endpoints",
    title: "What would endpoints that answered 410 have cost?",
    description:
      "Endpoints that a 410 disabled, the deliveries given up for it, and what they would have taken if each had been tried `attempts` times, at the mean time of those answers.",
    parameters: {
      ...asked("30d"),
      attempts: {
        type: "UInt32",
        default: "20",
        description: "attempts of a delivery that is never answered well",
        range: [1, 1000],
      },
    },
    sql: `SELECT tenant_id, endpoint_id, minIf(dead_at, reason = 'gone') AS gone_at, countIf(reason = 'gone') AS answered_410,
  count() AS given_up, sum(greatest(toInt64({attempts:UInt32}) - attempts, 0)) AS attempts_spared,
  round(attempts_spared * any(answers.mean_ms) / 1000, 1) AS seconds_spared
FROM (
SELECT tenant_id, endpoint_id, dead_at, reason, attempts
${DEAD_LETTERS}
  AND reason IN ('gone', 'endpoint_disabled')
) AS letters
LEFT JOIN (
SELECT endpoint_id, avg(duration_ms) AS mean_ms
FROM attempts FINAL
WHERE ${during("started_at")}
  AND ${OF_TENANT}
  AND (tenant_id, endpoint_id) IN (
SELECT tenant_id, endpoint_id
FROM dead_letters
WHERE ${during("dead_at")}
  AND ${OF_TENANT}
  AND reason = 'gone'
)
  AND status_code = 410
GROUP BY endpoint_id
) AS answers USING (endpoint_id)
GROUP BY tenant_id, endpoint_id
HAVING answered_410 > 0
ORDER BY attempts_spared DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "repeated-requests",
    title: "Which requests were made twice?",
    description:
      "Steps of a delivery with more than one request, by endpoint: after a crash or a rebalance an attempt may be repeated, with the same webhook-id.",
    parameters: asked("1d"),
    // Groups by a hash first, which needs a third of the memory. It may find too many, never too few.
    sql: `SELECT tenant_id, endpoint_id, count() AS steps_repeated, sum(requests - 1) AS extra_requests, max(last_at) AS last_repeated_at
FROM (
SELECT tenant_id, endpoint_id, delivery_id, step, count() AS requests, max(started_at) AS last_at
${ATTEMPTS}
  AND cityHash64(delivery_id, step) IN (
SELECT cityHash64(delivery_id, step) AS hash
FROM attempts
WHERE ${during("started_at")}
  AND ${OF_TENANT}
  AND attempt_number > 0
GROUP BY hash
HAVING count() > 1
)
GROUP BY tenant_id, endpoint_id, delivery_id, step
HAVING requests > 1
)
GROUP BY tenant_id, endpoint_id
ORDER BY extra_requests DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
];
