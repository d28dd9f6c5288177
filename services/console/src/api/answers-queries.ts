/** What the routes of SQL answer. The top of answers.ts says why this is declared here. */

/** Of `GET /v1/queries`. */
export interface SavedQuery {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly sql: string;
  readonly parameters: readonly QueryParameter[];
}

export interface QueryParameter {
  readonly name: string;
  /** ClickHouse's. */
  readonly type: string;
  /** Null: it must be given. */
  readonly default: string | null;
  readonly description: string;
}

export interface SavedQueries {
  readonly queries: readonly SavedQuery[];
}

/** `POST /v1/query` and `GET /v1/queries/{name}`. */
export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: boolean;
  readonly elapsedMs: number;
}
