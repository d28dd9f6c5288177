import {
  asked,
  ATTEMPTS,
  during,
  ENDPOINT,
  OF_ENDPOINT,
  OF_TENANT,
  type SavedQuery,
} from "./saved-query.ts";

/** Who uses how much, and over how long. */
export const COST: readonly SavedQuery[] = [
  {
    name: "noisy-tenants",
    title: "Which tenants use most?",
    description:
      "Share of attempts and of the time that attempts took, by tenant: time is what holds slots, so a tenant with slow endpoints may be the noisy one. Leave `tenant` empty: the shares are of what was asked for.",
    parameters: asked("1h"),
    sql: `SELECT tenant_id, count() AS attempts, round(100 * attempts / sum(attempts) OVER (), 1) AS attempts_pct,
  round(sum(duration_ms) / 1000, 1) AS busy_s, round(100 * sum(duration_ms) / greatest(sum(sum(duration_ms)) OVER (), 1), 1) AS busy_pct,
  countIf(outcome != 'delivered') AS failed, sum(request_bytes) AS bytes_sent
${ATTEMPTS}
GROUP BY tenant_id
ORDER BY busy_s DESC, tenant_id
LIMIT {limit:UInt32}`,
  },
  {
    name: "cost-by-size",
    title: "What do large payloads cost?",
    description:
      "Attempts by the size of their body, up to so many bytes: how much slower, and how much less successful, large ones are.",
    parameters: { ...asked("1d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT arrayFirst(size -> request_bytes <= size, [1024, 4096, 16384, 65536, 262144, 1048576, 2147483647]) AS up_to_bytes,
  count() AS attempts, sum(request_bytes) AS bytes_sent, round(100 * countIf(outcome = 'delivered') / attempts, 1) AS success_pct,
  (quantilesExact(0.5, 0.95)(duration_ms) AS quantiles)[1] AS p50_ms, quantiles[2] AS p95_ms
${ATTEMPTS}
  AND ${OF_ENDPOINT}
GROUP BY up_to_bytes
ORDER BY up_to_bytes`,
  },
  {
    name: "triggers",
    title: "What are attempts made for?",
    description:
      "Attempts by trigger (first, retry, redrive, replay, test), with the share of each: how much of the work is not the first try.",
    parameters: { ...asked("1d", { limit: null }), endpoint: ENDPOINT },
    sql: `SELECT trigger, count() AS attempts, round(100 * attempts / sum(attempts) OVER (), 1) AS attempts_pct,
  round(100 * countIf(outcome = 'delivered') / attempts, 1) AS success_pct
${ATTEMPTS}
  AND ${OF_ENDPOINT}
GROUP BY trigger
ORDER BY attempts DESC, trigger`,
  },
  {
    name: "traffic",
    title: "How much was sent, minute by minute?",
    description:
      "Attempts and what came of them by minute, newest first, from the roll-up that is kept for 90 days: the curve of an incident that is long past. `gave_up` are attempts after which their delivery was given up; what was given up without an attempt is not in it.",
    parameters: asked("1h", { limit: 1440 }),
    sql: `SELECT bucket AS minute, sum(r.attempts) AS attempts, sum(r.delivered) AS delivered,
  attempts - delivered AS failed, sum(r.expired) AS gave_up
FROM tenant_minute AS r
WHERE ${during("bucket")}
  AND ${OF_TENANT}
GROUP BY minute
ORDER BY minute DESC
LIMIT {limit:UInt32}`,
  },
  {
    name: "success-by-day",
    title: "How has success changed over the months?",
    description:
      "Attempts and successes by day, and the share of successes at the first attempt, from the roll-up that is kept for 400 days. It counts every attempt that was made, those of replays, too, as it is no service level: those are `first-attempt-budget` and `endpoint-budget`. `gave_up` are attempts after which their delivery was given up. The first and the last day are those parts of them that are in the window.",
    parameters: { ...asked("90d", { limit: 400 }), endpoint: ENDPOINT },
    sql: `SELECT toDate(bucket) AS day, sum(r.attempts) AS attempts, sum(r.delivered) AS delivered,
  round(100 * delivered / attempts, 1) AS success_pct,
  round(100 * sum(r.delivered_first) / greatest(delivered, 1), 1) AS at_first_pct,
  sum(r.expired) AS gave_up, sum(r.request_bytes) AS bytes_sent, max(r.max_duration_ms) AS max_ms
FROM endpoint_hour AS r
WHERE ${during("bucket")}
  AND ${OF_TENANT}
  AND ${OF_ENDPOINT}
GROUP BY day
ORDER BY day DESC
LIMIT {limit:UInt32}`,
  },
  {
    name: "latency-by-day",
    title: "How has a tenant's latency changed over the weeks?",
    description:
      "Time per attempt by day, merged from the digests of the roll-up that is kept for 90 days, so within a few hundredths of the exact percentile.",
    parameters: {
      ...asked("28d", { limit: 90 }),
      tenant: { type: "String", default: null, description: "the tenant" },
    },
    sql: `SELECT toDate(bucket) AS day, sum(r.attempts) AS attempts,
  (quantilesTDigestMerge(0.5, 0.95, 0.99)(r.duration_ms) AS quantiles)[1] AS p50_ms, quantiles[2] AS p95_ms, quantiles[3] AS p99_ms
FROM tenant_minute AS r
WHERE ${during("bucket")}
  AND tenant_id = {tenant:String}
GROUP BY day
ORDER BY day DESC
LIMIT {limit:UInt32}`,
  },
];
