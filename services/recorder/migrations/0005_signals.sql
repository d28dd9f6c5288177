-- Topic signals: changes in an endpoint's health, one row per record. at is the dispatcher's time. A record that was produced twice has the
-- same key, so its rows merge.
CREATE TABLE IF NOT EXISTS {database}.signals (
  tenant_id LowCardinality(String) COMMENT 'Owner.',
  endpoint_id String COMMENT 'The endpoint; inline_… for an inline destination.' CODEC(ZSTD(1)),
  at DateTime64(3, 'UTC') COMMENT 'When the change was seen.' CODEC(DoubleDelta, ZSTD(1)),
  kind LowCardinality(String) COMMENT 'gone (a 410), breaker_opened or breaker_closed.',
  endpoint_version Int64 COMMENT 'The version it was seen on; 0 for an inline destination.' CODEC(T64, ZSTD(1)),
  delivery_id String COMMENT 'The delivery whose attempt showed it; empty where there was none.' CODEC(ZSTD(1)),
  detail String COMMENT 'For people: what the breaker opened on, and for how long.' CODEC(ZSTD(3)),
  log_partition Int32 COMMENT 'Partition of the record in the topic signals.' CODEC(T64, ZSTD(1)),
  log_offset Int64 COMMENT 'Its offset.' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (tenant_id, endpoint_id, at, kind, delivery_id)
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000
COMMENT 'Changes in an endpoint''s health: one row per record of the topic signals.';
