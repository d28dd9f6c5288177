/** The table that a batch runner writes to, as a port: what its answers mean, and how long to wait if it cannot take a batch. */

/** A table. The recorder's writer implements it with ClickHouse. */
export interface BatchTarget<Row> {
  /** Part of the deduplication token; one topic feeds one table. */
  readonly table: string;
  /**
   * Inserts the rows as one block, in their order, unless the table has seen the token. Never rejects. Gives up on `signal` or after a
   * timeout of its own, and then answers `unavailable`; the rows may have been written or not.
   */
  insert(
    rows: readonly Row[],
    token: string,
    signal: AbortSignal,
  ): Promise<InsertResult>;
  /**
   * Puts back rows that the table lacks of an insert that is answered now but was in doubt before: it had failed, or its intent was
   * found on assignment. A table that was killed may have kept the token without the rows, and then dropped the rows as a repeat. Not
   * called for an insert that is answered the first time, so there is no cost in normal operation. May be repeated; never rejects.
   */
  mend(
    rows: readonly Row[],
    token: string,
    signal: AbortSignal,
  ): Promise<MendResult>;
}

/** The table cannot take the insert now. `needsOperator`: the fault will not pass by itself (the table is missing, no right to write). */
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
  /** The table does not take a value, now or later. Nothing was written. */
  | { readonly kind: "refused"; readonly detail: string }
  /** Try the same insert again. */
  | Unavailable;
