/**
 * What a dashboard over ClickHouse is made of, and the parts of its queries. `clickhouse-model.ts` makes the JSON, for the data
 * source `grafana-clickhouse-datasource`, whose macros (`$__timeFilter` and others) and variables the queries have.
 *
 * Each query bounds the column that its table is partitioned by, so that it reads the days of the range only. None sets a setting of
 * ClickHouse: a user with `readonly = 1` may not. Tables are named without a database: it is the data source's.
 */

export interface SqlPanel {
  readonly title: string;
  /** What it shows, and what is no good sign; shown behind an (i). */
  readonly about: string;
  readonly sql: string;
  readonly shows: Shows;
}

export type Shows =
  /** One row, of which each column is a number beside the others. */
  | { readonly kind: "numbers"; readonly shares: readonly string[] }
  /** The columns are `time`, perhaps one text, which tells the lines apart, and numbers. */
  | {
      readonly kind: "lines" | "bars";
      readonly unit: "short" | "ms" | "percentunit";
      /** The column of that text. */
      readonly by?: string;
    }
  | { readonly kind: "table" };

export interface SqlVariable {
  readonly name: string;
  readonly label: string;
  /** Its values, from one column. */
  readonly sql: string;
}

export interface SqlDashboard {
  readonly uid: string;
  readonly title: string;
  readonly variables: readonly SqlVariable[];
  readonly panels: readonly SqlPanel[];
}

/** What is picked at the top of the dashboard; nothing is left out while that is All. */
const PICKED = {
  tenant: "$__conditionalAll(tenant_id IN (${tenant:singlequote}), $tenant)",
  endpoint:
    "$__conditionalAll(endpoint_id IN (${endpoint:singlequote}), $endpoint)",
  type: "$__conditionalAll(event_type IN (${type:singlequote}), $type)",
} as const;

export function picked(...names: readonly (keyof typeof PICKED)[]): string {
  return names.map((name) => `\n  AND ${PICKED[name]}`).join("");
}

const ALL = ["tenant", "endpoint", "type"] as const;

/** Each table with the rows of the range and of what is picked. Attempts may count a row twice that was recorded twice, until ClickHouse has merged them; exact would cost twice as much. */
export const ATTEMPTS = `FROM attempts
WHERE $__timeFilter(started_at)
  AND attempt_number > 0${picked(...ALL)}`;

export const DEFERRALS = `FROM attempts
WHERE $__timeFilter(started_at)
  AND attempt_number = 0${picked(...ALL)}`;

export const DELIVERIES = `FROM deliveries FINAL
WHERE $__timeFilter(received_at)${picked(...ALL)}`;

export const DEAD_LETTERS = `FROM dead_letters
WHERE $__timeFilter(dead_at)${picked(...ALL)}`;

export const SIGNALS = `FROM signals
WHERE $__timeFilter(at)${picked("tenant", "endpoint")}`;

/** Whole hours, so the range begins with the hour in which it begins. It knows no types of events. */
export const HOURS = `FROM endpoint_hour AS r
WHERE bucket >= toStartOfHour($__fromTime) AND bucket <= $__toTime${picked("tenant", "endpoint")}`;

/** The column `time` of a roll-up: as wide as the panel wants, but whole hours. */
export const BY_HOURS =
  "toStartOfInterval(bucket, toIntervalSecond(intDiv($__interval_s + 3599, 3600) * 3600)) AS time";

export function by(column: string): string {
  return `$__timeInterval(${column}) AS time`;
}

/** Three percentiles, estimated, as columns. */
export function percentiles(ms: string): string {
  return `(quantilesTDigest(0.5, 0.95, 0.99)(${ms}) AS quantiles)[1] AS p50, quantiles[2] AS p95, quantiles[3] AS p99`;
}
