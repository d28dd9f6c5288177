-- One table per topic that is recorded, one row per record. {database} is replaced by the runner.
--
-- Rules that hold for every table here:
-- * A column is as wide as its Avro type (int: Int32, long: Int64), because ClickHouse wraps a number that is too large without a word.
-- * Closed lists are LowCardinality(String), never Enum: a value of tomorrow's dispatcher must not stop today's recorder.
-- * NULL is kept for "there was none" of a number or a time; a text that is not there is ''.
-- * Bytes arrive as base64 in EPHEMERAL columns, which are never stored: JSON cannot carry arbitrary bytes, a String column can.
-- * log_partition and log_offset say which record of the topic the row was made of.
-- * The deduplication window counts parts. 20,000 parts are thousands of batches: far more than can pass between a crash and its repair.
-- * All are kept 30 days, so that what one table names can be found in the others.

-- Topic intake: what came in and what was decided. An event of many deliveries has several parts; the payload is in part 0.
-- The source coordinates are part of the key so that a duplicate, which has the same event_id, does not replace the original.
CREATE TABLE IF NOT EXISTS {database}.events (
  tenant_id LowCardinality(String),
  event_id String CODEC(ZSTD(1)),
  event_type LowCardinality(String),
  occurred_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  received_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  decided_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  decision LowCardinality(String),
  reason String CODEC(ZSTD(1)),
  field LowCardinality(String),
  rule LowCardinality(String),
  content_type LowCardinality(String),
  headers Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  payload_base64 String EPHEMERAL '',
  payload String DEFAULT base64Decode(payload_base64) CODEC(ZSTD(3)),
  payload_bytes Int32 CODEC(T64, ZSTD(1)),
  delivery_ids Array(String) CODEC(ZSTD(1)),
  endpoint_ids Array(String) CODEC(ZSTD(1)),
  filtered_endpoint_ids Array(String) CODEC(ZSTD(1)),
  disabled_endpoint_ids Array(String) CODEC(ZSTD(1)),
  paused_endpoint_ids Array(String) CODEC(ZSTD(1)),
  no_match_count Int32 CODEC(T64, ZSTD(1)),
  part Int32 CODEC(T64, ZSTD(1)),
  parts Int32 CODEC(T64, ZSTD(1)),
  source_topic LowCardinality(String),
  source_partition Int32 CODEC(T64, ZSTD(1)),
  source_offset Int64 CODEC(Delta, ZSTD(1)),
  log_partition Int32 CODEC(T64, ZSTD(1)),
  log_offset Int64 CODEC(Delta, ZSTD(1)),
  INDEX ix_event event_id TYPE bloom_filter(0.001) GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(received_at)
ORDER BY (tenant_id, event_id, source_topic, source_partition, source_offset, part)
TTL toDateTime(received_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000, index_granularity = 1024;

-- Topic attempts: one HTTP request and what it showed. attempt_number 0 is the first deferral of a delivery for a reason: no request was
-- made, outcome is '' and deferral_reason is set.
CREATE TABLE IF NOT EXISTS {database}.attempts (
  tenant_id LowCardinality(String),
  endpoint_id String CODEC(ZSTD(1)),
  delivery_id String CODEC(ZSTD(1)),
  webhook_id String CODEC(ZSTD(1)),
  event_id String CODEC(ZSTD(1)),
  event_type LowCardinality(String),
  attempt_number Int32 CODEC(T64, ZSTD(1)),
  step Int32 CODEC(T64, ZSTD(1)),
  trigger LowCardinality(String),
  replay_id String CODEC(ZSTD(1)),
  received_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  started_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  queue_ms Int32 CODEC(T64, ZSTD(1)),
  duration_ms Int32 CODEC(T64, ZSTD(1)),
  dns_ms Int32 CODEC(T64, ZSTD(1)),
  connect_ms Int32 CODEC(T64, ZSTD(1)),
  tls_ms Int32 CODEC(T64, ZSTD(1)),
  ttfb_ms Int32 CODEC(T64, ZSTD(1)),
  is_reused Bool,
  outcome LowCardinality(String),
  status_code Nullable(Int32) CODEC(ZSTD(1)),
  error_code LowCardinality(String),
  error String CODEC(ZSTD(3)),
  status LowCardinality(String),
  disposition LowCardinality(String),
  next_attempt_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  tier LowCardinality(String),
  deferral_reason LowCardinality(String),
  dead_letter_reason LowCardinality(String),
  request_bytes Int32 CODEC(T64, ZSTD(1)),
  response_bytes Int32 CODEC(T64, ZSTD(1)),
  response_body_base64 String EPHEMERAL '',
  response_body String DEFAULT base64Decode(response_body_base64) CODEC(ZSTD(3)),
  response_headers Map(LowCardinality(String), String) CODEC(ZSTD(3)),
  worker LowCardinality(String),
  source_topic LowCardinality(String),
  source_partition Int32 CODEC(T64, ZSTD(1)),
  source_offset Int64 CODEC(Delta, ZSTD(1)),
  log_partition Int32 CODEC(T64, ZSTD(1)),
  log_offset Int64 CODEC(Delta, ZSTD(1)),
  INDEX ix_delivery delivery_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_event event_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_status status TYPE set(8) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(started_at)
ORDER BY (tenant_id, endpoint_id, started_at, delivery_id, attempt_number, step)
TTL toDateTime(started_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000;

-- Topic dead-letters: what was given up and why. log_topic, log_partition and log_offset find the record itself, with the delivery or
-- the raw bytes, for a redrive; record_… is the record that ended here; source_… the event's own.
CREATE TABLE IF NOT EXISTS {database}.dead_letters (
  tenant_id LowCardinality(String),
  endpoint_id String CODEC(ZSTD(1)),
  dead_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  delivery_id String CODEC(ZSTD(1)),
  event_id String CODEC(ZSTD(1)),
  event_type LowCardinality(String),
  received_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  reason LowCardinality(String),
  detail String CODEC(ZSTD(3)),
  field LowCardinality(String),
  rule LowCardinality(String),
  stage LowCardinality(String),
  attempts Int32 CODEC(T64, ZSTD(1)),
  step Int32 CODEC(T64, ZSTD(1)),
  last_outcome LowCardinality(String),
  last_status_code Nullable(Int32) CODEC(ZSTD(1)),
  record_topic LowCardinality(String),
  record_partition Int32 CODEC(T64, ZSTD(1)),
  record_offset Int64 CODEC(Delta, ZSTD(1)),
  raw_bytes Int32 CODEC(T64, ZSTD(1)),
  source_topic LowCardinality(String),
  source_partition Int32 CODEC(T64, ZSTD(1)),
  source_offset Int64 CODEC(Delta, ZSTD(1)),
  log_topic LowCardinality(String),
  log_partition Int32 CODEC(T64, ZSTD(1)),
  log_offset Int64 CODEC(Delta, ZSTD(1)),
  INDEX ix_delivery delivery_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_event event_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(dead_at)
ORDER BY (tenant_id, endpoint_id, dead_at, delivery_id, reason, record_topic, record_partition, record_offset)
TTL toDateTime(dead_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000;
