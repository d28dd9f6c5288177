import {
  dataSource,
  modelOf,
  STAT,
  TIMESERIES,
  type PanelModel,
  type PlacedSize,
} from "./model.ts";
import type {
  Shows,
  SqlDashboard,
  SqlPanel,
  SqlVariable,
} from "./sql-panel.ts";

const TYPE = "grafana-clickhouse-datasource";
const CLICKHOUSE = dataSource(TYPE);
/** The form of the plugin's queries that ours have; without it the plugin takes them for older ones. */
const PLUGIN_VERSION = "4.3.0";

export function clickHouseModel(dashboard: SqlDashboard): object {
  const { uid, title, variables, panels } = dashboard;
  return modelOf({
    uid,
    title,
    refresh: "1m",
    from: "now-6h",
    variables: [
      {
        name: "datasource",
        label: "ClickHouse",
        type: "datasource",
        query: TYPE,
      },
      ...variables.map(variableModel),
    ],
    panels: panels.map((panel) => [panelModel(panel), SIZES[panel.shows.kind]]),
  });
}

const SIZES: Readonly<Record<Shows["kind"], PlacedSize>> = {
  numbers: { w: 24, h: 4 },
  lines: { w: 8, h: 8 },
  bars: { w: 8, h: 8 },
  table: { w: 12, h: 9 },
};

function variableModel({ name, label, sql }: SqlVariable): object {
  return {
    name,
    label,
    type: "query",
    datasource: CLICKHOUSE,
    query: sql,
    definition: sql,
    refresh: 2,
    multi: true,
    includeAll: true,
    current: { text: ["All"], value: ["$__all"] },
  };
}

function panelModel({ title, about, sql, shows }: SqlPanel): PanelModel {
  const isSeries = shows.kind === "lines" || shows.kind === "bars";
  return {
    type: isSeries ? "timeseries" : shows.kind === "numbers" ? "stat" : "table",
    title,
    description: about,
    datasource: CLICKHOUSE,
    fieldConfig: fieldConfigOf(shows),
    options: optionsOf(shows),
    targets: [
      {
        refId: "A",
        datasource: CLICKHOUSE,
        editorType: "sql",
        queryType: isSeries ? "timeseries" : "table",
        format: isSeries ? 0 : 1,
        pluginVersion: PLUGIN_VERSION,
        rawSql: sql,
      },
    ],
  };
}

function fieldConfigOf(shows: Shows): object {
  switch (shows.kind) {
    case "numbers":
      return {
        defaults: { unit: "short" },
        overrides: shows.shares.map((column) => ({
          matcher: { id: "byName", options: column },
          properties: [{ id: "unit", value: "percentunit" }],
        })),
      };
    case "table":
      return {
        defaults: { unit: "none", custom: { filterable: true } },
        overrides: [],
      };
    case "lines":
    case "bars":
      return {
        defaults: {
          unit: shows.unit,
          ...(shows.unit === "percentunit" ? { min: 0, max: 1 } : { min: 0 }),
          ...(shows.by === undefined
            ? {}
            : { displayName: `\${__field.labels.${shows.by}}` }),
          custom:
            shows.kind === "bars"
              ? {
                  drawStyle: "bars",
                  fillOpacity: 80,
                  stacking: { mode: "normal", group: "A" },
                }
              : { spanNulls: true },
        },
        overrides: [],
      };
  }
}

function optionsOf({ kind }: Shows): object {
  switch (kind) {
    case "numbers":
      return { ...STAT, graphMode: "none", textMode: "value_and_name" };
    case "table":
      return { showHeader: true, cellHeight: "sm" };
    case "lines":
    case "bars":
      return TIMESERIES;
  }
}
