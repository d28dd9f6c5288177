-- A delivery that is parked before any attempt shows so, in whatever order its rows come. Before, its row from dead_letters and the one
-- from events had the same version (0), and the one that was inserted last won.
--
-- The version of a parked delivery now ends in 1, like one from attempts:
--   version = rank · 2^16 + 2 · step + (1 if from attempts, or parked)
-- A step is either attempted or parked, so the two never meet.
ALTER TABLE {database}.deliveries_from_dead_letters MODIFY QUERY
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
    multiIf(reason != 'paused', 2, attempts > 0, 1, 0) * 65536
      + least(greatest(step, 0), 32767) * 2 + if(reason = 'paused', 1, 0)
  ) AS version
FROM {database}.dead_letters
WHERE delivery_id != '' AND isNotNull(dead_letters.received_at);
