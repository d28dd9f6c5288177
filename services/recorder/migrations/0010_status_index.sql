-- Which stretches of deliveries have no delivery of a status. A list of those that failed and wait, or were given up, reads the others alone:
-- most of what is kept was delivered, and a status is no part of the key. A status changes, so FINAL must look again at what it left out:
-- never set use_skip_indexes_if_final_exact_mode to 0.
ALTER TABLE {database}.deliveries
  ADD INDEX IF NOT EXISTS ix_status status TYPE set(8) GRANULARITY 1;

-- In the parts that are there already, in the background, whatever the user's profile says: of days of deliveries it takes longer than
-- an answer is waited for. Of the parts only this column is read.
ALTER TABLE {database}.deliveries
  MATERIALIZE INDEX ix_status
SETTINGS mutations_sync = 0;
