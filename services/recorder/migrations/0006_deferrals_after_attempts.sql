-- A deferral after a failed attempt shows in deliveries: what it waits for and until when, beside its last attempt. Before, it was in attempts
-- only, because its row did not know the last attempt and would have hidden it. Now the record says what that attempt showed. A deferral
-- without that, which an older dispatcher or recorder wrote or which follows an attempt of an older dispatcher, stays in attempts only.
ALTER TABLE {database}.attempts
  ADD COLUMN IF NOT EXISTS last_attempt_number Int32 CODEC(T64, ZSTD(1)) AFTER dead_letter_reason,
  ADD COLUMN IF NOT EXISTS last_outcome LowCardinality(String) AFTER last_attempt_number,
  ADD COLUMN IF NOT EXISTS last_status_code Nullable(Int32) CODEC(ZSTD(1)) AFTER last_outcome,
  ADD COLUMN IF NOT EXISTS last_error_code LowCardinality(String) AFTER last_status_code,
  ADD COLUMN IF NOT EXISTS last_duration_ms Int32 CODEC(T64, ZSTD(1)) AFTER last_error_code;

-- The version of such a deferral ends in 0, so that an attempt of the same step wins over it:
--   version = rank · 2^16 + 2 · step + (1 if an attempt, pending, or parked)
ALTER TABLE {database}.deliveries_from_attempts MODIFY QUERY
SELECT
  tenant_id,
  received_at,
  delivery_id,
  endpoint_id,
  event_id,
  event_type,
  replay_id,
  status,
  if(attempt_number = 0, last_attempt_number, attempt_number) AS attempts,
  step,
  if(attempt_number = 0, last_outcome, a.outcome) AS outcome,
  if(attempt_number = 0, last_status_code, a.status_code) AS status_code,
  if(attempt_number = 0, last_error_code, a.error_code) AS error_code,
  if(attempt_number = 0, last_duration_ms, a.duration_ms) AS duration_ms,
  addMilliseconds(started_at, a.duration_ms) AS changed_at,
  next_attempt_at,
  deferral_reason,
  dead_letter_reason,
  toUInt32(
    multiIf(status = 'delivered', 3, status = 'expired', 2, status = 'failed', 1, 0) * 65536
      + least(greatest(step, 0), 32767) * 2 + if(attempt_number = 0 AND status != 'pending', 0, 1)
  ) AS version
FROM {database}.attempts AS a
WHERE attempt_number > 0 OR status = 'pending' OR last_attempt_number > 0;
