-- A delivery that a replay made and that was given up, or parked, before any attempt says so in deliveries, as one with an attempt does. So
-- what is asked about service levels can leave it out. Rows of before stay as they are.
ALTER TABLE {database}.dead_letters
  ADD COLUMN IF NOT EXISTS replay_id String COMMENT 'The replay that made the delivery; empty without one, and in rows of before this column.' CODEC(ZSTD(1)) AFTER event_type;

ALTER TABLE {database}.deliveries
  COMMENT COLUMN replay_id 'The replay that made it; empty without one, and while it waits for its first attempt.';

ALTER TABLE {database}.deliveries_from_dead_letters MODIFY QUERY
SELECT
  tenant_id,
  assumeNotNull(dead_letters.received_at) AS received_at,
  delivery_id,
  endpoint_id,
  event_id,
  event_type,
  replay_id,
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
    multiIf(reason != 'paused', 2, attempts > 0, 1, 0) * 65536
      + least(greatest(step, 0), 32767) * 2 + if(reason = 'paused', 1, 0)
  ) AS version
FROM {database}.dead_letters
WHERE delivery_id != '' AND isNotNull(dead_letters.received_at);
