import {
  asked,
  ATTEMPTS,
  ATTEMPTS_NOW_AND_BEFORE,
  ENDPOINT,
  leastAttempts,
  OF_ENDPOINT,
  type SavedQuery,
} from "./saved-query.ts";

/** How endpoints do, by their attempts. */
export const HEALTH: readonly SavedQuery[] = [
  {
    name: "endpoint-health",
    title: "How does each endpoint do?",
    description:
      "Success rate and time per attempt of each endpoint, the busiest first: the first look at a tenant or an endpoint.",
    parameters: { ...asked("1d"), endpoint: ENDPOINT },
    sql: `SELECT tenant_id, endpoint_id, count() AS attempts, countIf(outcome = 'delivered') AS delivered,
  round(100 * delivered / attempts, 1) AS success_pct,
  (quantilesExact(0.5, 0.95, 0.99)(duration_ms) AS quantiles)[1] AS p50_ms, quantiles[2] AS p95_ms, quantiles[3] AS p99_ms
${ATTEMPTS}
  AND ${OF_ENDPOINT}
GROUP BY tenant_id, endpoint_id
ORDER BY attempts DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "worst-endpoints",
    title: "Which endpoints fail most?",
    description:
      "Endpoints with the highest share of failed attempts and what they failed with last: whom to write to, or to pause.",
    parameters: { ...asked("1d"), min_attempts: leastAttempts(10) },
    sql: `SELECT tenant_id, endpoint_id, count() AS attempts, countIf(outcome != 'delivered') AS failed,
  round(100 * failed / attempts, 1) AS failed_pct,
  maxIf(started_at, outcome != 'delivered') AS last_failed_at,
  argMaxIf(outcome, started_at, outcome != 'delivered') AS last_outcome,
  argMaxIf(error, started_at, outcome != 'delivered') AS last_error
${ATTEMPTS}
GROUP BY tenant_id, endpoint_id
HAVING attempts >= {min_attempts:UInt32} AND failed > 0
ORDER BY failed_pct DESC, failed DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "newly-failing",
    title: "Who fails more than before?",
    description:
      "Endpoints whose share of failed attempts rose against the window of the same length before: what has just broken, without what always fails.",
    parameters: { ...asked("1h"), min_attempts: leastAttempts(10) },
    sql: `SELECT tenant_id, endpoint_id, countIf(is_now) AS attempts, countIf(NOT is_now) AS attempts_before,
  round(100 * countIf(is_now AND is_failed) / attempts, 1) AS failed_pct,
  round(100 * countIf(NOT is_now AND is_failed) / attempts_before, 1) AS failed_pct_before
FROM (
SELECT tenant_id, endpoint_id, started_at >= {since:DateTime64(3)} AS is_now, outcome != 'delivered' AS is_failed
${ATTEMPTS_NOW_AND_BEFORE}
)
GROUP BY tenant_id, endpoint_id
HAVING attempts >= {min_attempts:UInt32} AND attempts_before >= {min_attempts:UInt32} AND failed_pct > failed_pct_before
ORDER BY failed_pct - failed_pct_before DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "slower-than-before",
    title: "Who got slower since yesterday?",
    description:
      "Endpoints whose 95th percentile rose against the window of the same length before, the greatest factor first: slow receivers fill their lanes before they fail.",
    parameters: { ...asked("1d"), min_attempts: leastAttempts(10) },
    sql: `SELECT tenant_id, endpoint_id, countIf(is_now) AS attempts, countIf(NOT is_now) AS attempts_before,
  quantileExactIf(0.95)(duration_ms, is_now) AS p95_ms,
  quantileExactIf(0.95)(duration_ms, NOT is_now) AS p95_ms_before,
  round(p95_ms / greatest(p95_ms_before, 1), 2) AS factor
FROM (
SELECT tenant_id, endpoint_id, started_at >= {since:DateTime64(3)} AS is_now, duration_ms
${ATTEMPTS_NOW_AND_BEFORE}
)
GROUP BY tenant_id, endpoint_id
HAVING attempts >= {min_attempts:UInt32} AND attempts_before >= {min_attempts:UInt32} AND p95_ms > p95_ms_before
ORDER BY factor DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "outcomes",
    title: "What do attempts end with?",
    description:
      "Attempts by outcome, HTTP status and error code: whether it is their answers, their network or ours.",
    parameters: { ...asked("1d"), endpoint: ENDPOINT },
    sql: `SELECT outcome, status_code, error_code, count() AS attempts, uniqExact(endpoint_id) AS endpoints,
  max(started_at) AS last_at
${ATTEMPTS}
  AND ${OF_ENDPOINT}
GROUP BY outcome, status_code, error_code
ORDER BY attempts DESC, outcome, status_code, error_code
LIMIT {limit:UInt32}`,
  },
  {
    name: "endpoint-log",
    title: "What did this endpoint answer lately?",
    description:
      "The newest attempts at one endpoint, one row each: what its owner asks for.",
    parameters: {
      ...asked("1d"),
      endpoint: {
        type: "String",
        default: null,
        description: "the endpoint's id",
      },
    },
    sql: `SELECT started_at, event_id, event_type, attempt_number, outcome, status_code, duration_ms, error
${ATTEMPTS}
  AND endpoint_id = {endpoint:String}
ORDER BY started_at DESC, delivery_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "who-is-late",
    title: "Who waits for a turn?",
    description:
      "How long attempts waited from due to started, by endpoint: a few with a long wait are slow themselves, a long wait everywhere means too few dispatchers.",
    parameters: asked("15m"),
    sql: `SELECT tenant_id, endpoint_id, count() AS attempts,
  (quantilesExact(0.5, 0.95)(queue_ms) AS quantiles)[1] AS queue_p50_ms, quantiles[2] AS queue_p95_ms,
  max(queue_ms) AS queue_max_ms, round(avg(duration_ms)) AS mean_ms
${ATTEMPTS}
GROUP BY tenant_id, endpoint_id
ORDER BY queue_p95_ms DESC, queue_max_ms DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "where-time-goes",
    title: "Where does the time of an attempt go?",
    description:
      "Mean times of name resolution, connecting, TLS and waiting for the answer, and the share of reused connections, by endpoint: what to change to make it faster.",
    parameters: asked("1d"),
    sql: `SELECT tenant_id, endpoint_id, count() AS attempts, round(100 * countIf(is_reused) / attempts, 1) AS reused_pct,
  round(avg(dns_ms), 1) AS mean_dns_ms, round(avg(connect_ms), 1) AS mean_connect_ms, round(avg(tls_ms), 1) AS mean_tls_ms,
  round(avg(ttfb_ms), 1) AS mean_ttfb_ms, round(avg(duration_ms), 1) AS mean_ms
${ATTEMPTS}
GROUP BY tenant_id, endpoint_id
ORDER BY mean_ms DESC, tenant_id, endpoint_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "workers",
    title: "Does one process do worse than the others?",
    description:
      "Attempts, success and times by the process that made them: a node without a way out, or with too little CPU, stands out.",
    parameters: asked("1h"),
    sql: `SELECT worker, count() AS attempts, uniqExact(endpoint_id) AS endpoints,
  round(100 * countIf(outcome = 'delivered') / attempts, 1) AS success_pct,
  quantileExact(0.95)(duration_ms) AS p95_ms, quantileExact(0.95)(queue_ms) AS queue_p95_ms
${ATTEMPTS}
GROUP BY worker
ORDER BY success_pct, worker
LIMIT {limit:UInt32}`,
  },
];
