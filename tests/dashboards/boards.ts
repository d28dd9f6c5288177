/** The dashboards of deploy/grafana/dashboards, as they are in the files. */
import { readdirSync, readFileSync } from "node:fs";

export interface Target {
  readonly refId: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  /** Of a panel over Prometheus. */
  readonly expr?: string;
  readonly legendFormat?: string;
  /** Of a panel over ClickHouse. `format` 0 is a time series, 1 a table. */
  readonly rawSql?: string;
  readonly format?: 0 | 1;
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      /** A text of the plugin for ClickHouse, an object of Prometheus. */
      readonly query: unknown;
    }[];
  };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly fieldConfig: {
      readonly defaults: {
        readonly unit?: string;
        readonly displayName?: string;
      };
    };
    readonly targets: readonly Target[];
  }[];
}

const folder = new URL("../../deploy/grafana/dashboards/", import.meta.url);

export interface BoardFile {
  readonly name: string;
  readonly text: string;
  readonly board: Board;
}

export const BOARDS: readonly BoardFile[] = readdirSync(folder).map((name) => {
  const text = readFileSync(new URL(name, folder), "utf8");
  // It is what the file holds: a field that is missing fails a test.
  return { name, text, board: JSON.parse(text) as Board };
});

export const CLICKHOUSE = "grafana-clickhouse-datasource";

function isOver({ board }: BoardFile, type: string): boolean {
  return board.panels.every(({ targets }) =>
    targets.every(({ datasource }) => datasource.type === type),
  );
}

export const CLICKHOUSE_BOARDS = BOARDS.filter((file) =>
  isOver(file, CLICKHOUSE),
);
export const PROMETHEUS_BOARDS = BOARDS.filter((file) =>
  isOver(file, "prometheus"),
);
