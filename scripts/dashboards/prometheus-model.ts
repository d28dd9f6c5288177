import {
  dataSource,
  modelOf,
  STAT,
  TIMESERIES,
  type PanelModel,
  type PlacedSize,
} from "./model.ts";
import type { Dashboard, Panel } from "./panel.ts";

const PROMETHEUS = dataSource("prometheus");

/** A dashboard over Prometheus. Numbers of now are four in a row, and lower; they come first. Then three panels in a row. */
export function prometheusModel({ uid, title, panels }: Dashboard): object {
  return modelOf({
    uid,
    title,
    refresh: "30s",
    from: "now-1h",
    variables: [
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
        datasource: PROMETHEUS,
        query: { query: "label_values(postrider_ready, job)", refId: "job" },
        refresh: 2,
        multi: true,
        includeAll: true,
        allValue: ".*",
        current: { text: "All", value: "$__all" },
      },
    ],
    panels: panels.map((panel) => [panelModel(panel), sizeOf(panel)]),
  });
}

function sizeOf({ isStat }: Panel): PlacedSize {
  return isStat === true ? { w: 6, h: 4 } : { w: 8, h: 8 };
}

function panelModel(panel: Panel): PanelModel {
  return {
    type: panel.isStat === true ? "stat" : "timeseries",
    title: panel.title,
    description: panel.about,
    datasource: PROMETHEUS,
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
      datasource: PROMETHEUS,
      expr,
      legendFormat: legend,
    })),
  };
}
