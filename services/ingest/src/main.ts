import { runService } from "@postrider/runtime";
import { compose } from "./compose.ts";
import { readIngestConfig } from "./config.ts";

process.exit(
  await runService({ name: "ingest", readConfig: readIngestConfig, compose }),
);
