/** Where batches go, and how long to wait when it cannot take one. */

/** A table behind an interface that says what its answers mean. The recorder's writer implements it with ClickHouse. */
export interface BatchTarget<Row> {
  /** Part of the deduplication token; one topic feeds one table. */
  readonly table: string;
  /**
   * Inserts the rows as one block, in their order, unless the table has seen the token. Never rejects; gives up on `signal` or after a
   * time of its own, and then says `unavailable`, which claims nothing about what was written.
   */
  insert(
    rows: readonly Row[],
    token: string,
    signal: AbortSignal,
  ): Promise<InsertResult>;
  /**
   * Puts back what the table lacks of an insert that is answered now but was in doubt before: it had failed, or stood announced when its
   * partition was assigned. A table that died may have kept a token without its rows, and then dropped them as a repeat. An insert that
   * is answered the first time is never asked for, so the healthy way costs nothing. May be repeated; never rejects.
   */
  mend(
    rows: readonly Row[],
    token: string,
    signal: AbortSignal,
  ): Promise<MendResult>;
}

/** The table cannot take it now. `needsOperator`: it will not heal by itself (a table is missing, no right to write). */
export interface Unavailable {
  readonly kind: "unavailable";
  readonly detail: string;
  readonly needsOperator: boolean;
  /** The least wait, where the cause needs one (too many parts). */
  readonly waitMs?: number;
}

export type MendResult =
  /** All rows are there; `rows` of them had to be put back. */
  { readonly kind: "mended"; readonly rows: number } | Unavailable;

export type InsertResult =
  | { readonly kind: "inserted" }
  /** A value is bad, whatever the time: nothing was written. */
  | { readonly kind: "refused"; readonly detail: string }
  /** Try the same again. */
  | Unavailable;
