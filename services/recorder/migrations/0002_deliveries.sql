-- One row per delivery as it stands, for lists and for status. Read it with FINAL, or through the view delivery_status, which does so:
--
--   SELECT status, count() FROM {database}.deliveries FINAL WHERE tenant_id = 'acme' AND received_at > now() - INTERVAL 6 HOUR GROUP BY status
--
-- Without FINAL older versions of a delivery may show. received_at never changes, so all versions of a delivery share its key and its
-- partition, and a condition on received_at (widen it: 6 hours, 1 day, 7 days) is safe and keeps FINAL cheap.
--
-- Three views feed it, in any order of arrival:
--   events        every delivery that was made      pending
--   attempts      what an attempt showed            failed, delivered or expired
--                 a deferral before any attempt     pending, with its reason
--   dead_letters  what was given up                 expired; `paused` keeps the status it had, with dead_letter_reason paused
-- A deferral after a failed attempt is in attempts only: its row does not know how many attempts there were, and would hide the last one.
--
-- The highest version wins: rank of the status, then the delivery's step, then attempts before the others, as they know more:
--   version = rank · 2^16 + 2 · step + (1 if from attempts)      rank: pending 0, failed 1, expired 2, delivered 3
-- so that a repeat, after a crash, of a delivery that succeeded never turns it into a failed one. Nothing here may throw for a
-- value: the source table would then have rows that the views' tables lack.
CREATE TABLE IF NOT EXISTS {database}.deliveries (
  tenant_id LowCardinality(String),
  received_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  delivery_id String CODEC(ZSTD(1)),
  endpoint_id String CODEC(ZSTD(1)),
  event_id String CODEC(ZSTD(1)),
  event_type LowCardinality(String),
  replay_id String CODEC(ZSTD(1)),
  status LowCardinality(String),
  attempts Int32 CODEC(T64, ZSTD(1)),
  step Int32 CODEC(T64, ZSTD(1)),
  outcome LowCardinality(String),
  status_code Nullable(Int32) CODEC(ZSTD(1)),
  error_code LowCardinality(String),
  duration_ms Int32 CODEC(T64, ZSTD(1)),
  changed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  next_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  deferral_reason LowCardinality(String),
  dead_letter_reason LowCardinality(String),
  version UInt32 CODEC(T64, ZSTD(1)),
  INDEX ix_delivery delivery_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_event event_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_endpoint endpoint_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toDate(received_at)
ORDER BY (tenant_id, received_at, delivery_id)
TTL toDateTime(received_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.deliveries_from_events TO {database}.deliveries AS
SELECT
  tenant_id,
  received_at,
  delivery_id,
  endpoint_id,
  event_id,
  event_type,
  '' AS replay_id,
  'pending' AS status,
  toInt32(0) AS attempts,
  toInt32(0) AS step,
  '' AS outcome,
  CAST(NULL, 'Nullable(Int32)') AS status_code,
  '' AS error_code,
  toInt32(0) AS duration_ms,
  decided_at AS changed_at,
  CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS next_attempt_at,
  '' AS deferral_reason,
  '' AS dead_letter_reason,
  toUInt32(0) AS version
FROM {database}.events
ARRAY JOIN delivery_ids AS delivery_id, endpoint_ids AS endpoint_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.deliveries_from_attempts TO {database}.deliveries AS
SELECT
  tenant_id,
  received_at,
  delivery_id,
  endpoint_id,
  event_id,
  event_type,
  replay_id,
  status,
  attempt_number AS attempts,
  step,
  outcome,
  status_code,
  error_code,
  duration_ms,
  addMilliseconds(started_at, duration_ms) AS changed_at,
  next_attempt_at,
  deferral_reason,
  dead_letter_reason,
  toUInt32(
    multiIf(status = 'delivered', 3, status = 'expired', 2, status = 'failed', 1, 0) * 65536
      + least(greatest(step, 0), 32767) * 2 + 1
  ) AS version
FROM {database}.attempts
WHERE attempt_number > 0 OR status = 'pending';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.deliveries_from_dead_letters TO {database}.deliveries AS
SELECT
  tenant_id,
  assumeNotNull(dead_letters.received_at) AS received_at,
  delivery_id,
  endpoint_id,
  event_id,
  event_type,
  '' AS replay_id,
  multiIf(reason != 'paused', 'expired', attempts > 0, 'failed', 'pending') AS status,
  attempts,
  step,
  last_outcome AS outcome,
  last_status_code AS status_code,
  '' AS error_code,
  toInt32(0) AS duration_ms,
  dead_at AS changed_at,
  CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS next_attempt_at,
  '' AS deferral_reason,
  reason AS dead_letter_reason,
  toUInt32(
    multiIf(reason != 'paused', 2, attempts > 0, 1, 0) * 65536 + least(greatest(step, 0), 32767) * 2
  ) AS version
FROM {database}.dead_letters
WHERE delivery_id != '' AND isNotNull(dead_letters.received_at);

-- Each delivery once, as it stands.
CREATE VIEW IF NOT EXISTS {database}.delivery_status AS
SELECT * FROM {database}.deliveries FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
