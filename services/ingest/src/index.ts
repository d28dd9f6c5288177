export { ingestSpec, type IngestConfig, readIngestConfig } from "./config.ts";
export { compose, type Ingest } from "./compose.ts";
