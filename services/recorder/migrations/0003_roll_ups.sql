-- Roll-ups, kept longer than the rows they count. They count attempts, never deferrals (attempt_number 0). For the last 48 hours read
-- attempts itself: it is faster and exact. Sum them (rows of one bucket merge in the background), or read the views below.
CREATE TABLE IF NOT EXISTS {database}.endpoint_hour (
  tenant_id LowCardinality(String),
  endpoint_id String CODEC(ZSTD(1)),
  bucket DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  attempts SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  delivered SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  delivered_first SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  expired SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  request_bytes SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  max_duration_ms SimpleAggregateFunction(max, Int32) CODEC(T64, ZSTD(1)),
  duration_ms AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Int32) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(bucket)
ORDER BY (tenant_id, endpoint_id, bucket)
TTL bucket + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.endpoint_hour_from_attempts TO {database}.endpoint_hour AS
SELECT
  tenant_id,
  endpoint_id,
  toStartOfHour(started_at) AS bucket,
  count() AS attempts,
  countIf(outcome = 'delivered') AS delivered,
  countIf(outcome = 'delivered' AND attempt_number = 1) AS delivered_first,
  countIf(status = 'expired') AS expired,
  sum(toInt64(a.request_bytes)) AS request_bytes,
  max(a.duration_ms) AS max_duration_ms,
  quantilesTDigestState(0.5, 0.95, 0.99)(a.duration_ms) AS duration_ms
FROM {database}.attempts AS a
WHERE attempt_number > 0
GROUP BY tenant_id, endpoint_id, bucket;

CREATE TABLE IF NOT EXISTS {database}.tenant_minute (
  tenant_id LowCardinality(String),
  bucket DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  attempts SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  delivered SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  expired SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  duration_ms AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Int32) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(bucket)
ORDER BY (tenant_id, bucket)
TTL bucket + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.tenant_minute_from_attempts TO {database}.tenant_minute AS
SELECT
  tenant_id,
  toStartOfMinute(started_at) AS bucket,
  count() AS attempts,
  countIf(outcome = 'delivered') AS delivered,
  countIf(status = 'expired') AS expired,
  quantilesTDigestState(0.5, 0.95, 0.99)(a.duration_ms) AS duration_ms
FROM {database}.attempts AS a
WHERE attempt_number > 0
GROUP BY tenant_id, bucket;

-- The roll-ups as plain numbers: p50_ms, p95_ms and p99_ms are merged from the digests.
CREATE VIEW IF NOT EXISTS {database}.endpoint_hours AS
SELECT
  tenant_id,
  endpoint_id,
  bucket,
  sum(r.attempts) AS attempts,
  sum(r.delivered) AS delivered,
  sum(r.delivered_first) AS delivered_first,
  sum(r.expired) AS expired,
  sum(r.request_bytes) AS request_bytes,
  max(r.max_duration_ms) AS max_duration_ms,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(r.duration_ms) AS quantiles_ms,
  quantiles_ms[1] AS p50_ms,
  quantiles_ms[2] AS p95_ms,
  quantiles_ms[3] AS p99_ms
FROM {database}.endpoint_hour AS r
GROUP BY tenant_id, endpoint_id, bucket;

CREATE VIEW IF NOT EXISTS {database}.tenant_minutes AS
SELECT
  tenant_id,
  bucket,
  sum(r.attempts) AS attempts,
  sum(r.delivered) AS delivered,
  sum(r.expired) AS expired,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(r.duration_ms) AS quantiles_ms,
  quantiles_ms[1] AS p50_ms,
  quantiles_ms[2] AS p95_ms,
  quantiles_ms[3] AS p99_ms
FROM {database}.tenant_minute AS r
GROUP BY tenant_id, bucket;
