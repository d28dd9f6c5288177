/**
 * What a saved query is, and the parts that many of them share. A query's values are ClickHouse's own query parameters
 * (`{since:DateTime64(3)}`): they are sent beside the text and are never put into it.
 */

/** How a parameter is written by a caller, and as what ClickHouse takes it. */
export type ParameterType = "DateTime64(3)" | "String" | "UInt32" | "Float64";

export interface Parameter {
  readonly type: ParameterType;
  /** As a caller would write it; null: the caller must give it. */
  readonly default: string | null;
  readonly description: string;
  /** The least and the greatest number that is taken. */
  readonly range?: readonly [least: number, greatest: number];
}

export interface SavedQuery {
  /** In kebab-case; part of a path and an argument of the command. */
  readonly name: string;
  /** The operator's question. */
  readonly title: string;
  /** One sentence: what the rows are, and when one asks. */
  readonly description: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** One SELECT. It reads only tables and views of Postrider's database. */
  readonly sql: string;
}

/** A window of time, and whose rows; in nearly every query. */
export function asked(
  since: string,
  { limit = 20 }: { readonly limit?: number | null } = {},
): Readonly<Record<string, Parameter>> {
  return {
    since: {
      type: "DateTime64(3)",
      default: since,
      description: "from when on",
    },
    until: {
      type: "DateTime64(3)",
      default: "now",
      description: "until when, this moment excluded",
    },
    tenant: {
      type: "String",
      default: "",
      description: "one tenant; empty: all",
    },
    ...(limit === null ? {} : { limit: rowLimit(limit) }),
  };
}

export function rowLimit(rows: number): Parameter {
  return {
    type: "UInt32",
    default: String(rows),
    description: "how many rows at most",
    range: [1, 10_000],
  };
}

export const ENDPOINT: Parameter = {
  type: "String",
  default: "",
  description: "one endpoint; empty: all",
};

export const REASON: Parameter = {
  type: "String",
  default: "",
  description: "one reason, such as exhausted; empty: all",
};

export function leastAttempts(attempts: number): Parameter {
  return {
    type: "UInt32",
    default: String(attempts),
    description: "endpoints with fewer attempts are left out",
    range: [1, 4_294_967_295],
  };
}

/** The column is in the window. Of the tables it is the one that they are partitioned by. */
export function during(column: string): string {
  return `${column} >= {since:DateTime64(3)} AND ${column} < {until:DateTime64(3)}`;
}

/** For a literal tenant ClickHouse drops the first half, so the key is used. */
export const OF_TENANT =
  "({tenant:String} = '' OR tenant_id = {tenant:String})";

/** Not sent by a replay: in every query about service levels, and in no other (docs/sql/slo.md, "Replays"). */
export const NO_REPLAY = "replay_id = ''";

export const OF_ENDPOINT =
  "({endpoint:String} = '' OR endpoint_id = {endpoint:String})";

/** The attempts of the window, each once. Deferrals have the number 0 and are no attempts. */
export const ATTEMPTS = `FROM attempts FINAL
WHERE ${during("started_at")}
  AND ${OF_TENANT}
  AND attempt_number > 0`;

/** The window and the one of the same length before it. `is_now` tells which. */
export const ATTEMPTS_NOW_AND_BEFORE = `FROM attempts FINAL
WHERE started_at >= subtractMilliseconds({since:DateTime64(3)}, dateDiff('millisecond', {since:DateTime64(3)}, {until:DateTime64(3)}))
  AND started_at < {until:DateTime64(3)}
  AND ${OF_TENANT}
  AND attempt_number > 0`;

/** The deliveries of the events that were received in the window, each once and as it stands. */
export const DELIVERIES = `FROM deliveries FINAL
WHERE ${during("received_at")}
  AND ${OF_TENANT}`;

/** The events of the window, each once: only the first part of one with many deliveries has its payload. */
export const EVENTS = `FROM events FINAL
WHERE ${during("received_at")}
  AND ${OF_TENANT}`;

export const DEAD_LETTERS = `FROM dead_letters FINAL
WHERE ${during("dead_at")}
  AND ${OF_TENANT}`;
