/**
 * Writes deploy/grafana/dashboards/*.json from scripts/dashboards/.
 * `node scripts/generate-dashboards.ts --check` writes nothing and exits 1 when a file would change.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { format } from "prettier";
import { dispatcher } from "./dashboards/dispatcher.ts";
import { overview } from "./dashboards/overview.ts";
import type { Dashboard, Panel } from "./dashboards/panel.ts";
import { processes } from "./dashboards/processes.ts";
import { stores } from "./dashboards/stores.ts";

// Grafana's schema wants every field of these.
const STAT = {
  reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  colorMode: "none",
  graphMode: "area",
  justifyMode: "auto",
  textMode: "value",
  wideLayout: true,
  orientation: "auto",
  showPercentChange: false,
  percentChangeColorMode: "standard",
};
const TIMESERIES = {
  legend: {
    displayMode: "list",
    placement: "bottom",
    showLegend: true,
    calcs: [],
  },
  tooltip: { mode: "multi", sort: "desc" },
};

for (const dashboard of [overview, dispatcher, stores, processes]) {
  const name = `deploy/grafana/dashboards/${dashboard.uid}.json`;
  const target = new URL(`../${name}`, import.meta.url);
  const text = await format(JSON.stringify(render(dashboard)), {
    parser: "json",
  });
  const present = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (process.argv.includes("--check")) {
    if (present === text) continue;
    console.error(
      `${name} is out of date; run: node scripts/generate-dashboards.ts`,
    );
    process.exitCode = 1;
  } else if (present !== text) writeFileSync(target, text);
}

/** Three panels in a row of 24 columns; numbers of now four in a row, and lower. They come first in their dashboard. */
function* placed(
  panels: readonly Panel[],
): Generator<[Panel, { x: number; y: number; w: number; h: number }]> {
  let [x, y] = [0, 0];
  for (const panel of panels) {
    const [w, h] = panel.isStat === true ? [6, 4] : [8, 8];
    yield [panel, { x, y, w, h }];
    x += w;
    if (x === 24) [x, y] = [0, y + h];
  }
}

/** The model of Grafana 10 and later. The data source is a variable, so that no installation's identifier is in the file. */
function render({ uid, title, panels }: Dashboard): object {
  const datasource = { type: "prometheus", uid: "${datasource}" };
  return {
    uid,
    title,
    tags: ["postrider"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    annotations: { list: [] },
    links: [
      {
        title: "Postrider",
        type: "dashboards",
        icon: "external link",
        tooltip: "",
        targetBlank: false,
        tags: ["postrider"],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: {
      list: [
        {
          name: "datasource",
          label: "Prometheus",
          type: "datasource",
          query: "prometheus",
        },
        {
          name: "job",
          label: "Job",
          type: "query",
          datasource,
          query: { query: "label_values(postrider_ready, job)", refId: "job" },
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: ".*",
          current: { text: "All", value: "$__all" },
        },
      ],
    },
    panels: [...placed(panels)].map(([panel, gridPos], index) => ({
      id: index + 1,
      type: panel.isStat === true ? "stat" : "timeseries",
      title: panel.title,
      ...(panel.about === "" ? {} : { description: panel.about }),
      gridPos,
      datasource,
      fieldConfig: {
        defaults: {
          unit: panel.unit,
          ...(panel.unit === "percentunit" ? { min: 0, max: 1 } : {}),
        },
        overrides: [],
      },
      options: panel.isStat === true ? STAT : TIMESERIES,
      targets: panel.queries.map(({ expr, legend }, at) => ({
        refId: String.fromCodePoint(65 + at),
        datasource,
        expr,
        legendFormat: legend,
      })),
    })),
  };
}
