import {
  asked,
  during,
  EVENTS,
  OF_TENANT,
  type SavedQuery,
} from "./saved-query.ts";

/** What came in, and what was decided. */
export const INTAKE: readonly SavedQuery[] = [
  {
    name: "unwanted-events",
    title: "Which events did nobody want?",
    description:
      "Event types for which no endpoint was found, and how many of them a disabled endpoint would have wanted: a missing subscription, or events that need not be published.",
    parameters: asked("7d"),
    sql: `SELECT tenant_id, event_type, count() AS count, countIf(notEmpty(disabled_endpoint_ids)) AS wanted_by_disabled,
  sum(payload_bytes) AS bytes, max(received_at) AS last_at
${EVENTS}
  AND decision IN ('no_match', 'filtered') AND part = 0
GROUP BY tenant_id, event_type
ORDER BY count DESC, tenant_id, event_type
LIMIT {limit:UInt32}`,
  },
  {
    name: "refused-events",
    title: "Which events were refused, and for what?",
    description:
      "Invalid and refused events by field and rule, with the newest as an example: whose producer is broken, and how.",
    parameters: asked("7d"),
    sql: `SELECT decision, tenant_id, event_type, field, rule, count() AS count, max(received_at) AS last_at,
  argMax(event_id, received_at) AS last_event_id, argMax(reason, received_at) AS last_reason
${EVENTS}
  AND decision IN ('invalid', 'refused') AND part = 0
GROUP BY decision, tenant_id, event_type, field, rule
ORDER BY count DESC, tenant_id, event_type, field, rule, decision
LIMIT {limit:UInt32}`,
  },
  {
    name: "duplicates",
    title: "Which events came twice?",
    description:
      "Events that were recognised as repeats and not delivered again, by tenant and type, and how long after the first the last came: a publisher that retries, or a loop. NULL where no first is in the window.",
    parameters: asked("1d"),
    sql: `SELECT tenant_id, first_type AS event_type, count() AS events_repeated, sum(repeats) AS duplicates,
  max(dateDiff('millisecond', first_at, last_at)) AS longest_after_ms
FROM (
SELECT tenant_id, event_id, argMin(event_type, received_at) AS first_type, countIf(decision = 'duplicate') AS repeats,
  minOrNullIf(received_at, decision != 'duplicate') AS first_at, maxIf(received_at, decision = 'duplicate') AS last_at
${EVENTS}
  AND part = 0 AND event_id != ''
  AND (tenant_id, event_id) IN (
SELECT tenant_id, event_id
FROM events
WHERE ${during("received_at")}
  AND ${OF_TENANT}
  AND decision = 'duplicate'
)
GROUP BY tenant_id, event_id
HAVING repeats > 0
)
GROUP BY tenant_id, event_type
ORDER BY duplicates DESC, tenant_id, event_type
LIMIT {limit:UInt32}`,
  },
  {
    name: "fan-out",
    title: "How many deliveries does an event make?",
    description:
      "Events and deliveries by type, and the most deliveries of one event: what a new subscription costs.",
    parameters: asked("7d"),
    // Only events of several parts are put together one by one: a group for each event would need much memory.
    sql: `SELECT tenant_id, event_type, sum(first_parts) AS routed, sum(made) AS deliveries_made,
  round(deliveries_made / routed, 2) AS deliveries_each, max(most_made) AS most_deliveries
FROM (
SELECT tenant_id, event_type, countIf(part = 0) AS first_parts, sum(length(delivery_ids)) AS made,
  if(parts = 1, max(length(delivery_ids)), made) AS most_made
${EVENTS}
  AND decision = 'routed'
GROUP BY tenant_id, event_type, parts, if(parts = 1, ('', '', 0, 0), (event_id, source_topic, source_partition, source_offset))
)
GROUP BY tenant_id, event_type
ORDER BY deliveries_made DESC, tenant_id, event_type
LIMIT {limit:UInt32}`,
  },
  {
    name: "events-by-type",
    title: "What is published, and how large is it?",
    description:
      "Events and payload bytes by tenant and type, duplicates and refused ones included: what fills Kafka and the tables.",
    parameters: asked("1d"),
    sql: `SELECT tenant_id, event_type, count() AS count, sum(payload_bytes) AS bytes,
  round(avg(payload_bytes)) AS mean_bytes, max(payload_bytes) AS max_bytes
${EVENTS}
  AND part = 0
GROUP BY tenant_id, event_type
ORDER BY bytes DESC, tenant_id, event_type
LIMIT {limit:UInt32}`,
  },
  {
    name: "routing-lag",
    title: "Are events routed late?",
    description:
      "From received to decided, by partition of the source topic: one late partition is a hot key or a process that stands still, all late is too little route.",
    parameters: asked("1h"),
    sql: `SELECT source_topic, source_partition, count() AS count,
  (quantilesExact(0.5, 0.95)(dateDiff('millisecond', received_at, decided_at)) AS quantiles)[1] AS p50_ms, quantiles[2] AS p95_ms,
  max(dateDiff('millisecond', received_at, decided_at)) AS max_ms, max(source_offset) AS newest_offset
${EVENTS}
  AND part = 0
GROUP BY source_topic, source_partition
ORDER BY p95_ms DESC, source_topic, source_partition
LIMIT {limit:UInt32}`,
  },
];
