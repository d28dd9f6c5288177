/** `GET /v1/series` and `GET /v1/status`, as far as the console reads them. The top of answers.ts says why this is declared here. */

/** Attempts over time. Percentiles are within a hundredth. */
export interface Series {
  readonly since: string;
  readonly until: string;
  readonly stepMs: number;
  readonly groups: readonly SeriesGroup[];
}

export interface SeriesGroup {
  /** What the attempts have in common, such as their endpoint; null for all of them. */
  readonly key: string | null;
  readonly attempts: number;
  readonly delivered: number;
  /** Oldest first. A step without attempts has none. */
  readonly points: readonly SeriesPoint[];
}

export interface SeriesPoint {
  /** The start of the step: a whole multiple of its length. */
  readonly at: string;
  readonly attempts: number;
  readonly delivered: number;
  /** 0 to 1. */
  readonly successShare: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}
