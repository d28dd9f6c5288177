/**
 * Writes deploy/grafana/dashboards/*.json from scripts/dashboards/.
 * `node scripts/generate-dashboards.ts --check` writes nothing and exits 1 when a file would change.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { clickHouseModel } from "./dashboards/clickhouse-model.ts";
import { deliveries } from "./dashboards/deliveries.ts";
import { dispatcher } from "./dashboards/dispatcher.ts";
import { overview } from "./dashboards/overview.ts";
import { processes } from "./dashboards/processes.ts";
import { prometheusModel } from "./dashboards/prometheus-model.ts";
import { stores } from "./dashboards/stores.ts";

const models = [
  ...[overview, dispatcher, stores, processes].map(
    (board) => [board.uid, prometheusModel(board)] as const,
  ),
  [deliveries.uid, clickHouseModel(deliveries)] as const,
];

for (const [uid, model] of models) {
  const name = `deploy/grafana/dashboards/${uid}.json`;
  const target = new URL(`../${name}`, import.meta.url);
  const text = await format(JSON.stringify(model), { parser: "json" });
  const present = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (process.argv.includes("--check")) {
    if (present === text) continue;
    console.error(
      `${name} is out of date; run: node scripts/generate-dashboards.ts`,
    );
    process.exitCode = 1;
  } else if (present !== text) writeFileSync(target, text);
}
