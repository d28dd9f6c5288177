/**
 * The intent protocol for the partitions of one assignment. This comment argues why each record is in the table exactly once; more in
 * docs/adr/0024-one-insert-spans-partitions.md.
 *
 * Invariant: every record below a partition's base is in the table once, or refused once. At any moment a partition has at most one range
 * in doubt: the range of its last acknowledged intent, which begins at or above its committed offset.
 *
 * 1. commit(bases, intent)   announces a range of each partition, in one request; the committed offsets stay at the ranges' beginnings
 * 2. insert(rows, token)     one block; the table drops the parts that it has already seen under this token
 * 3. dead letters            for the offsets that the intent excludes
 * 4. commit(ends + 1, …)     the ranges are done; carries the next intent if there is one
 *
 * A crash after 1, 2 or 3 leaves the intent, whole, in each of its partitions. Each next owner sends the same rows under the same token
 * (`batch-repeat.ts`), and the table drops the rows that it has. A crash within 1 or 4 leaves the old metadata or the new, and both are
 * states described here. No other owner can come in between: the broker refuses commits of an old generation, and a new generation reads
 * the offsets only after the old one has ended.
 *
 * If the table refuses a row, it refused the whole insert before it wrote anything. So the batch is halved, each half with its own
 * intent, until the row stands alone; then its intent excludes it. The request that announces a half also clears the old intent from
 * the partitions that are not in that half.
 *
 * The intent lists the excluded offsets because the next owner may judge a record differently (its schema has arrived meanwhile), and
 * then would send other rows under the same token, which would be lost.
 */
import type { EpochMs } from "@postrider/core";
import { intentOf, refused, rowsOf } from "./batch-entry.ts";
import type { BatchEntry, RefusedEntry } from "./batch-entry.ts";
import { rangeIn, tokenOf } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";

/** What the group is to store for one partition. */
export interface IntentCommit {
  readonly partition: number;
  readonly offset: number;
  readonly intent: Intent | null;
}

/** The side effects of the protocol. Each retries until it is acknowledged and then resolves; it rejects only when the assignment is over. */
export interface BatchEffects<Row> {
  /** One request: all are stored, or none. */
  commit(commits: readonly IntentCommit[]): Promise<void>;
  insert(rows: readonly Row[], token: string): Promise<InsertVerdict>;
  /** Produces the dead letters of refused records. If they became reduced rows, only logs and counts them. */
  refuse(entries: readonly RefusedEntry[], at: EpochMs): Promise<void>;
  /** Present for the topic `dead-letters` only: a refused record becomes this row. One more dead letter would be refused again, for ever. */
  reducedRowOf?(entry: RefusedEntry, at: EpochMs): Row;
  /** The table refused even a reduced row, so its definition is not the one we expect. Resolves when it is time to try again. */
  waitForTable(detail: string): Promise<void>;
}

export type InsertVerdict =
  | { readonly kind: "inserted" }
  /** The table does not take a value. Nothing of the insert was written. */
  | { readonly kind: "refused"; readonly detail: string };

interface Position {
  base: number;
  /** `base` is committed without an intent. */
  isSettled: boolean;
}

export class BatchProtocol<Row> {
  readonly #positions = new Map<number, Position>();
  /** Without a commit in this assignment yet. The coordinator may not know such a partition, and would store an intent for the others only. */
  readonly #unproven = new Set<number>();
  readonly #table: string;
  readonly #topic: string;
  readonly #effects: BatchEffects<Row>;

  constructor(options: {
    readonly table: string;
    readonly topic: string;
    readonly effects: BatchEffects<Row>;
  }) {
    this.#table = options.table;
    this.#topic = options.topic;
    this.#effects = options.effects;
  }

  /** Every record of the partition below `base` is recorded; no range of it is in doubt. */
  add(partition: number, base: number): void {
    this.#positions.set(partition, { base, isSettled: false });
    this.#unproven.add(partition);
  }

  /** Between two records only. */
  remove(partition: number): void {
    this.#positions.delete(partition);
    this.#unproven.delete(partition);
  }

  /** The first offset that is not yet recorded; undefined for a partition that was not added. */
  baseOf(partition: number): number | undefined {
    return this.#positions.get(partition)?.base;
  }

  /** No range is in doubt: every base is committed without an intent. */
  get isSettled(): boolean {
    return [...this.#positions.values()].every(({ isSettled }) => isSettled);
  }

  /**
   * Records `entries`: at least one; those of a partition are together and ascending, and are all its records from its base to its last
   * entry. Ascending by partition. The halves of a refused batch keep its `intendedAt`: the intent has each range's time relative to
   * that, so with a time of its own a half could need more characters than Kafka stores.
   */
  async record(
    entries: readonly BatchEntry<Row>[],
    intendedAt: EpochMs,
  ): Promise<void> {
    if (this.#unproven.size > 0) await this.settle();
    const intent = intentOf(entries, intendedAt);
    await this.#announce(intent);
    await this.#carryOut(entries, intent);
  }

  /** Commits without an intent. Bases move up to `readTo` first, where that is higher: there must be no record in between. */
  async settle(readTo: ReadonlyMap<number, number> = new Map()): Promise<void> {
    const commits: IntentCommit[] = [];
    for (const [partition, { base, isSettled }] of this.#positions) {
      const offset = Math.max(base, readTo.get(partition) ?? base);
      if (!isSettled || offset > base)
        commits.push({ partition, offset, intent: null });
    }
    if (commits.length > 0) await this.#commit(commits);
  }

  async #announce(intent: Intent): Promise<void> {
    const commits: IntentCommit[] = [];
    for (const [partition, { base, isSettled }] of this.#positions) {
      const isNamed = rangeIn(intent, partition) !== undefined;
      if (isNamed || !isSettled)
        commits.push({
          partition,
          offset: base,
          intent: isNamed ? intent : null,
        });
    }
    await this.#commit(commits);
  }

  async #commit(commits: readonly IntentCommit[]): Promise<void> {
    for (const { partition } of commits)
      this.#positions.get(partition)!.isSettled = false;
    await this.#effects.commit(commits);
    for (const { partition, offset, intent } of commits) {
      this.#positions.set(partition, {
        base: offset,
        isSettled: intent === null,
      });
      this.#unproven.delete(partition);
    }
  }

  async #carryOut(
    entries: readonly BatchEntry<Row>[],
    intent: Intent,
  ): Promise<void> {
    const { reducedRowOf } = this.#effects;
    const rows = rowsOf(entries, intent.intendedAt, reducedRowOf);
    if (rows.length > 0) {
      const token = tokenOf(this.#table, this.#topic, intent);
      const verdict = await this.#effects.insert(rows, token);
      if (verdict.kind === "refused")
        return await this.#halve(entries, intent.intendedAt, verdict.detail);
    }
    const losers = entries.filter((entry) => entry.kind === "refused");
    if (losers.length > 0)
      await this.#effects.refuse(losers, intent.intendedAt);
    for (const { partition, last } of intent.ranges)
      this.#positions.set(partition, { base: last + 1, isSettled: false });
  }

  async #halve(
    entries: readonly BatchEntry<Row>[],
    intendedAt: EpochMs,
    detail: string,
  ): Promise<void> {
    if (entries.length > 1) {
      const middle = entries.length >> 1;
      await this.record(entries.slice(0, middle), intendedAt);
      await this.record(entries.slice(middle), intendedAt);
      return;
    }
    const entry = entries[0]!; // exactly one is left
    if (entry.kind === "refused") {
      await this.#effects.waitForTable(detail);
      await this.record([entry], intendedAt);
      return;
    }
    await this.record([refused(entry.raw, detail)], intendedAt);
  }
}
