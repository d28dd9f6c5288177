/** What all our dashboards have in common in the model of Grafana 10 and later. */

export interface PlacedSize {
  readonly w: number;
  readonly h: number;
}

/** A panel of the model, without its number and its place. */
export type PanelModel = Readonly<Record<string, unknown>>;

interface Frame {
  readonly uid: string;
  readonly title: string;
  readonly refresh: string;
  /** The range that it opens with: `now-1h` until now. */
  readonly from: string;
  readonly variables: readonly object[];
  readonly panels: readonly (readonly [PanelModel, PlacedSize])[];
}

/** The data source is a variable, so that no installation's identifier is in the file. */
export function dataSource(type: string): { type: string; uid: string } {
  return { type, uid: "${datasource}" };
}

// Grafana's schema wants every field of these.
export const STAT = {
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
export const TIMESERIES = {
  legend: {
    displayMode: "list",
    placement: "bottom",
    showLegend: true,
    calcs: [],
  },
  tooltip: { mode: "multi", sort: "desc" },
};

export function modelOf(frame: Frame): object {
  const { uid, title, refresh, from, variables, panels } = frame;
  return {
    uid,
    title,
    tags: ["postrider"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh,
    time: { from, to: "now" },
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
    templating: { list: variables },
    panels: [...placed(panels)],
  };
}

/** From left to right in 24 columns; a panel that has no room begins the next row. */
function* placed(panels: Frame["panels"]): Generator<object> {
  let [x, y, rowHeight] = [0, 0, 0];
  for (const [index, [panel, { w, h }]] of panels.entries()) {
    if (x + w > 24) [x, y, rowHeight] = [0, y + rowHeight, 0];
    const { type, title, description, ...rest } = panel;
    yield {
      id: index + 1,
      type,
      title,
      ...(description === "" ? {} : { description }),
      gridPos: { x, y, w, h },
      ...rest,
    };
    x += w;
    rowHeight = Math.max(rowHeight, h);
  }
}
