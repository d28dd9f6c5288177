/**
 * The intent protocol for one partition and one assignment: where exactly-once into the table is argued.
 *
 * Invariant: every record below `base` is in the table once, or refused once; and at any moment at most one range is in doubt, the
 * one in the last acknowledged intent, which begins at or above the committed offset.
 *
 * 1. commit(base, intent)    the range is announced, the committed offset does not pass it
 * 2. insert(rows, token)     the table drops what it has seen under this token, part by part
 * 3. dead letters            for what the intent excludes
 * 4. commit(last + 1, …)     the range is done; carries the next intent if there is one
 *
 * A crash after 1, 2 or 3 leaves the intent, and the next owner does 2 and 3 again with the same rows under the same token: the table
 * drops them. A crash within 1 or 4 leaves the old metadata or the new one; both are such a state. No other owner can come between: the
 * broker refuses commits of an ended generation, and a new one reads the offsets after the old has ended.
 *
 * A table that is killed may keep the token without the rows and drop them when they come again. So an insert in doubt, one that failed
 * before or that was found announced, is looked at once it is answered, and what is missing is put back (`BatchTarget.mend`), before
 * the commit that calls its range done.
 *
 * A row that the table refuses: the whole insert was refused before anything was written, so the range is halved, each half with its
 * own intent, until the row stands alone; then its intent excludes it. What is excluded is written in the intent because the next owner
 * may judge otherwise (a schema has arrived meanwhile), and other rows under the same token would be lost.
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

/** What the protocol does to the world. Each resolves when acknowledged, trying for ever; each rejects only when the assignment is over. */
export interface BatchEffects<Row> {
  commit(offset: number, intent: Intent | null): Promise<void>;
  /** `isInDoubt`: it may have been tried before, so what the table answers is not enough. */
  insert(
    rows: readonly Row[],
    token: string,
    isInDoubt: boolean,
  ): Promise<InsertVerdict>;
  /** Produces the dead letters of refused records, or, where they became reduced rows, only tells of them. */
  refuse(entries: readonly RefusedEntry[], at: EpochMs): Promise<void>;
  /** Present for `dead-letters` itself: a refused record becomes this row instead of one more dead letter, which would be refused again, for ever. */
  reducedRowOf?(entry: RefusedEntry, at: EpochMs): Row;
  /** Even the reduced row was refused: the table is not what we take it for. Resolves when it is time to try again. */
  waitForTable(detail: string): Promise<void>;
  now(): EpochMs;
}

export type InsertVerdict =
  | { readonly kind: "inserted" }
  /** A value is bad. Nothing of the insert was written. */
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
    /** What the group stores is `base` without an intent. */
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

  /** Nothing is in doubt and the group knows: `base` is committed without an intent. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Records these: ascending, at least one, all of the partition from `base` to the last one's offset. */
  async record(entries: readonly BatchEntry<Row>[]): Promise<void> {
    const first = entries[0]!.raw; // at least one, says the contract
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
   * Repeats an intent found at assignment. `entries` are the records of the range that the log still has; `end` is the last offset of it
   * that could be read. Records that the intent excludes stay excluded, whatever they look like now.
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
    // What could be read then and cannot be now is, like what retention took, left out under the same token.
    const added = offsetsOf(
      judged.filter(({ raw }) => raw.unreadable === undefined),
    ).filter((offset) => !excluded.has(offset));
    const found = { end, isInDoubt: true };
    if (added.length === 0) return this.#carryOut(judged, intent, found);
    // Refused now but not then (its schema never came): what was announced must say so, before the dead letter exists.
    const wider = {
      ...intent,
      excluded: [...intent.excluded, ...added].sort((a, b) => a - b),
    };
    await this.#announce(wider);
    await this.#carryOut(judged, wider, found);
  }

  /** Commits `base` without an intent; `base` may move up to `readTo` where there were no records between. */
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
    const entry = entries[0]!; // one is left
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
