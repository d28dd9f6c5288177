/**
 * Writes docs/configuration.md from each service's config.ts, which is the source of truth.
 * `node scripts/generate-config-reference.ts --check` writes nothing and exits 1 when the file would change.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { renderConfigReference } from "../packages/runtime/src/index.ts";
import { controlSpec } from "../services/control/src/config.ts";
import { dispatcherSpec } from "../services/dispatcher/src/config.ts";
import { ingestSpec } from "../services/ingest/src/config.ts";
import { recorderSpec } from "../services/recorder/src/config.ts";
import { retrySchedulerSpec } from "../services/retry-scheduler/src/config.ts";

const target = new URL("../docs/configuration.md", import.meta.url);
const text = await format(
  renderConfigReference({
    ingest: ingestSpec,
    dispatcher: dispatcherSpec,
    "retry-scheduler": retrySchedulerSpec,
    recorder: recorderSpec,
    control: controlSpec,
  }),
  { parser: "markdown" },
);
const present = existsSync(target) ? readFileSync(target, "utf8") : "";
if (process.argv.includes("--check")) {
  if (present !== text) {
    console.error(
      "docs/configuration.md is out of date; run: node scripts/generate-config-reference.ts",
    );
    process.exitCode = 1;
  }
} else if (present !== text) writeFileSync(target, text);
