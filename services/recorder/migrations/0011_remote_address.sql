-- Where a request went. The tenants' user in ClickHouse may not read it: run the statements of `migrate --print-tenant-user` again.
ALTER TABLE {database}.attempts
  ADD COLUMN IF NOT EXISTS remote_address String COMMENT 'The IP address to which the request was sent; empty where none was sent, for a deferral, and where an older dispatcher or recorder wrote it. For operators alone: no tenant may read it.' CODEC(ZSTD(1)) AFTER is_reused;
