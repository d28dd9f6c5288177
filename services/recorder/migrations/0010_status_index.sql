-- Which stretches of deliveries have no delivery of a status. A list of those that failed and wait, or were given up, reads the others alone:
-- most of what is kept was delivered, and a status is no part of the key.
ALTER TABLE {database}.deliveries
  ADD INDEX IF NOT EXISTS ix_status status TYPE set(8) GRANULARITY 1;

-- In the parts that are there already, in the background: of them only this column is read.
ALTER TABLE {database}.deliveries
  MATERIALIZE INDEX ix_status;
