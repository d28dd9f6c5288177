/**
 * The intent protocol for one partition and one assignment. This comment argues why each record is in the table exactly once.
 *
 * Invariant: every record below `base` is in the table once, or refused once. At any moment at most one range is in doubt: the range
 * of the last acknowledged intent, which begins at or above the committed offset.
 *
 * 1. commit(base, intent)    announces the range; the committed offset stays at its beginning
 * 2. insert(rows, token)     the table drops the parts that it has already seen under this token
 * 3. dead letters            for the offsets that the intent excludes
 * 4. commit(last + 1, …)     the range is done; carries the next intent if there is one
 *
 * A crash after 1, 2 or 3 leaves the intent. The next owner does 2 and 3 again with the same rows under the same token, and the table
 * drops the rows that it has. A crash within 1 or 4 leaves the old metadata or the new, and both are states described here. No other
 * owner can come in between: the broker refuses commits of an old generation, and a new generation reads the offsets only after the
 * old one has ended.
 *
 * A table that is killed may keep the token but not the rows, and then drops the rows when they come again. So an insert is in doubt
 * if it failed before or if its intent was found on assignment. Once such an insert is answered, the table is checked, and missing
 * rows are put back (`BatchTarget.mend`) before the commit that marks the range as done.
 *
 * If the table refuses a row, it refused the whole insert before it wrote anything. So the range is halved, each half with its own
 * intent, until the row stands alone; then its intent excludes it. The intent lists the excluded offsets because the next owner may
 * judge a record differently (its schema has arrived meanwhile), and then would send other rows under the same token, which would be
 * lost.
 */
import type { DeadLetterReason, EpochMs } from "@postrider/core";
import { tokenOf } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";
import { lastOffsetOf, type RawRecord } from "../record.ts";

/** Why a record makes no row. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** A record with its row, or with the reason why it has none. */
export type BatchEntry<Row> =
  | {
      readonly kind: "row";
      readonly raw: RawRecord;
      readonly row: Row;
    }
  | {
      readonly kind: "refused";
      readonly raw: RawRecord;
      readonly refusal: Refusal;
    };

export type RefusedEntry = Extract<BatchEntry<unknown>, { kind: "refused" }>;

/** The side effects of the protocol. Each retries until it is acknowledged and then resolves; it rejects only when the assignment is over. */
export interface BatchEffects<Row> {
  commit(offset: number, intent: Intent | null): Promise<void>;
  /** `isInDoubt`: the insert may have been tried before, so the table's answer alone does not prove that the rows are there. */
  insert(
    rows: readonly Row[],
    token: string,
    isInDoubt: boolean,
  ): Promise<InsertVerdict>;
  /** Produces the dead letters of refused records. If they became reduced rows, only logs and counts them. */
  refuse(entries: readonly RefusedEntry[], at: EpochMs): Promise<void>;
  /** Present for the topic `dead-letters` only: a refused record becomes this row. One more dead letter would be refused again, for ever. */
  reducedRowOf?(entry: RefusedEntry, at: EpochMs): Row;
  /** The table refused even a reduced row, so its definition is not the one we expect. Resolves when it is time to try again. */
  waitForTable(detail: string): Promise<void>;
  now(): EpochMs;
}

export type InsertVerdict =
  | { readonly kind: "inserted" }
  /** The table does not take a value. Nothing of the insert was written. */
  | { readonly kind: "refused"; readonly detail: string };

export class BatchProtocol<Row> {
  #base: number;
  #isSettled: boolean;
  readonly #table: string;
  readonly #source: { readonly topic: string; readonly partition: number };
  readonly #effects: BatchEffects<Row>;

  constructor(options: {
    readonly table: string;
    readonly source: { readonly topic: string; readonly partition: number };
    readonly base: number;
    /** The group has stored `base` without an intent. */
    readonly isSettled: boolean;
    readonly effects: BatchEffects<Row>;
  }) {
    this.#table = options.table;
    this.#source = options.source;
    this.#base = options.base;
    this.#isSettled = options.isSettled;
    this.#effects = options.effects;
  }

  /** The first offset that is not yet recorded. */
  get base(): number {
    return this.#base;
  }

  /** No range is in doubt: `base` is committed without an intent. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Records `entries`: ascending, at least one; every record of the partition from `base` to the last entry. */
  async record(entries: readonly BatchEntry<Row>[]): Promise<void> {
    const first = entries[0]!.raw; // the caller gives at least one
    const intent: Intent = {
      first: first.offset,
      last: lastOffsetOf(entries.at(-1)!.raw),
      firstTimestamp: first.timestamp,
      intendedAt: this.#effects.now(),
      excluded: offsetsOf(entries),
    };
    await this.#announce(intent);
    await this.#carryOut(entries, intent, {
      end: intent.last,
      isInDoubt: false,
    });
  }

  /**
   * Repeats an intent that was found on assignment. `entries` are the records of its range that the log still has; `end` is the last
   * offset of the range that could be read. Records that the intent excludes stay excluded, even if they could be inserted now.
   */
  async repeat(
    entries: readonly BatchEntry<Row>[],
    intent: Intent,
    end: number,
  ): Promise<void> {
    const excluded = new Set(intent.excluded);
    const judged = entries.map((entry) =>
      entry.kind === "row" && excluded.has(entry.raw.offset)
        ? refused(entry.raw, "refused before")
        : entry,
    );
    // A batch that cannot be read now, but could be then, is left out under the same token, like records that retention deleted.
    const added = offsetsOf(
      judged.filter(({ raw }) => raw.unreadable === undefined),
    ).filter((offset) => !excluded.has(offset));
    const found = { end, isInDoubt: true };
    if (added.length === 0) return this.#carryOut(judged, intent, found);
    // A record is refused now and was not then (its schema never came): announce it as excluded before its dead letter exists.
    const wider = {
      ...intent,
      excluded: [...intent.excluded, ...added].sort((a, b) => a - b),
    };
    await this.#announce(wider);
    await this.#carryOut(judged, wider, found);
  }

  /** Commits without an intent. `base` moves up to `readTo` first, if that is higher: there must be no record in between. */
  async settle(readTo: number): Promise<void> {
    const base = Math.max(this.#base, readTo);
    if (this.#isSettled && base === this.#base) return;
    await this.#effects.commit(base, null);
    this.#base = base;
    this.#isSettled = true;
  }

  async #announce(intent: Intent): Promise<void> {
    this.#isSettled = false;
    await this.#effects.commit(this.#base, intent);
  }

  async #carryOut(
    entries: readonly BatchEntry<Row>[],
    intent: Intent,
    { end, isInDoubt }: { readonly end: number; readonly isInDoubt: boolean },
  ): Promise<void> {
    const rows = this.#rowsOf(entries, intent.intendedAt);
    if (rows.length > 0) {
      const token = tokenOf(this.#table, this.#source, intent);
      const verdict = await this.#effects.insert(rows, token, isInDoubt);
      if (verdict.kind === "refused") {
        await this.#halve(entries, verdict.detail);
        this.#base = Math.max(this.#base, end + 1);
        return;
      }
    }
    const losers = entries.filter((entry) => entry.kind === "refused");
    if (losers.length > 0)
      await this.#effects.refuse(losers, intent.intendedAt);
    this.#base = Math.max(this.#base, end + 1);
    this.#isSettled = false;
  }

  #rowsOf(entries: readonly BatchEntry<Row>[], at: EpochMs): Row[] {
    const { reducedRowOf } = this.#effects;
    const rows: Row[] = [];
    for (const entry of entries) {
      if (entry.kind === "row") rows.push(entry.row);
      else if (reducedRowOf !== undefined) rows.push(reducedRowOf(entry, at));
    }
    return rows;
  }

  async #halve(
    entries: readonly BatchEntry<Row>[],
    detail: string,
  ): Promise<void> {
    if (entries.length > 1) {
      const middle = entries.length >> 1;
      await this.record(entries.slice(0, middle));
      await this.record(entries.slice(middle));
      return;
    }
    const entry = entries[0]!; // exactly one is left
    if (entry.kind === "refused") {
      await this.#effects.waitForTable(detail);
      await this.record([entry]);
      return;
    }
    await this.record([refused(entry.raw, detail)]);
  }
}

function refused(raw: RawRecord, detail: string): RefusedEntry {
  return { kind: "refused", raw, refusal: { reason: "row_refused", detail } };
}

function offsetsOf(entries: readonly BatchEntry<unknown>[]): number[] {
  return entries
    .filter((entry) => entry.kind === "refused")
    .map((entry) => entry.raw.offset);
}
