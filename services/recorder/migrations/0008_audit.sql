-- Topic audit: who changed what, and why, one row per record. at is control's time. The records are written in transactions, so none is
-- in the topic twice; the place in the topic is the end of the key, because two changes of one thing may share a millisecond.
CREATE TABLE IF NOT EXISTS {database}.audit (
  tenant_id LowCardinality(String) COMMENT 'Owner of what was changed; empty where it belongs to no single tenant.',
  at DateTime64(3, 'UTC') COMMENT 'When the change was written.' CODEC(DoubleDelta, ZSTD(1)),
  actor LowCardinality(String) COMMENT 'Id of the key that asked for it; admin for the key of POSTRIDER_ADMIN_KEY, postrider for what Postrider did by itself.',
  subject LowCardinality(String) COMMENT 'What kind of thing was changed: endpoint, key or replay.',
  subject_id String COMMENT 'Its id.' CODEC(ZSTD(1)),
  action LowCardinality(String) COMMENT 'What happened to it: created, changed, paused, deleted and so on.',
  why String COMMENT 'The reason that the caller gave; empty where it gave none.' CODEC(ZSTD(3)),
  detail String COMMENT 'What changed, by field, as JSON: {"timeoutMs":{"from":15000,"to":5000}}. Secrets by their ids, headers by their names.' CODEC(ZSTD(3)),
  request_id String COMMENT 'Id of the request, as in control''s log; empty where nobody asked for the change.' CODEC(ZSTD(1)),
  log_partition Int32 COMMENT 'Partition of the record in the topic audit.' CODEC(T64, ZSTD(1)),
  log_offset Int64 COMMENT 'Its offset.' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (tenant_id, at, subject_id, log_partition, log_offset)
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000
COMMENT 'Who changed what, and why: one row per record of the topic audit.';
