/**
 * What a dashboard of Grafana is made of, and the forms of its queries. `scripts/generate-dashboards.ts` makes the JSON.
 *
 * Queries select by `job` only, which Prometheus gives: each installation has its own. Everything else they name is declared by
 * the services, which `tests/monitoring.test.ts` checks.
 */

export interface Query {
  readonly expr: string;
  /** How a line is called: text with `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it shows, and what is no good sign; shown behind an (i). */
  readonly about: string;
  readonly unit: Unit;
  /** A number of now instead of lines. */
  readonly isStat?: boolean;
  readonly queries: readonly Query[];
}

/** Grafana's names of units. */
export type Unit =
  "short" | "s" | "bytes" | "percentunit" | "reqps" | "cps" | "ops";

export interface Dashboard {
  /** Stable: links and bookmarks name it. */
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** The range of every rate: Grafana takes at least four scrapes. */
export const PER_SECOND = "[$__rate_interval]";

/** `metric{job=~"$job", …}` */
export function of(metric: string, selector = ""): string {
  return `${metric}{job=~"$job"${selector === "" ? "" : `, ${selector}`}}`;
}

/** Of a counter: how many a second, by these labels. */
export function rate(metric: string, by = "", selector = ""): string {
  return `sum by (${by}) (rate(${of(metric, selector)}${PER_SECOND}))`;
}

/** The quantiles of a histogram, for each value of the labels `by`. */
export function quantiles(
  histogram: string,
  by = "",
  selector = "",
  wanted: readonly number[] = [0.5, 0.95, 0.99],
): Query[] {
  const labels = by === "" ? "le" : `le, ${by}`;
  const name = by === "" ? "" : `{{${by}}} `;
  return wanted.map((quantile) => ({
    expr: `histogram_quantile(${quantile}, ${rate(`${histogram}_bucket`, labels, selector)})`,
    legend: `${name}p${quantile * 100}`,
  }));
}

/** A single query. */
export function one(expr: string, legend = ""): Query[] {
  return [{ expr, legend }];
}
