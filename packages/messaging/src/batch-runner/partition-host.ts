/** The port of a batch partition: what it calls on its runner, and the facts that it reports. */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Judged } from "./batch-judge.ts";
import type { RefusedEntry } from "./batch-protocol.ts";
import type { BatchStart } from "./batch-start.ts";
import type { InsertResult, MendResult } from "./batch-target.ts";
import type { Intent } from "./intent-metadata.ts";
import type { LogRange } from "../ports.ts";
import type { RawRecord } from "../record.ts";

export interface PartitionLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly lingerMs: number;
  /** Fetching pauses above it and goes on at half of it. */
  readonly queueBytes: number;
  /** From one try to the next to decode a record whose schema is not known, ms. */
  readonly schemaPollMs: number;
}

/** A commit of one partition: as the group stores it, or should. */
export interface Position {
  readonly offset: number | null;
  readonly metadata: string;
}

/** What a partition calls on its runner. All calls concern its own partition and epoch. */
export interface PartitionHost<Row> {
  readonly table: string;
  readonly limits: PartitionLimits;
  judge(records: readonly RawRecord[]): Judged<Row>;
  now(): EpochMs;
  monotonic(): MonotonicMs;
  random(): number;
  /** The last acknowledged heartbeat is recent enough: the partition cannot belong to another member. */
  isLeaseValid(): boolean;
  fetchCommitted(): Promise<Position>;
  fetchLogRange(): Promise<LogRange>;
  commit(offset: number, metadata: string): Promise<void>;
  insert(rows: readonly Row[], token: string): Promise<InsertResult>;
  mend(rows: readonly Row[], token: string): Promise<MendResult>;
  refuse(entries: readonly RefusedEntry[], at: EpochMs): Promise<void>;
  reducedRowOf: ((entry: RefusedEntry, at: EpochMs) => Row) | undefined;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
  report(fact: PartitionFact): void;
}

/** A fact that is logged or counted. */
export type PartitionFact =
  | { readonly kind: "started"; readonly start: BatchStart }
  /** The stored intent belongs to another log of the same name (the topic was made anew): it is not repeated. */
  | { readonly kind: "intent_foreign"; readonly intent: Intent }
  | { readonly kind: "lost"; readonly from: number; readonly to: number }
  | { readonly kind: "inserted"; readonly rows: number }
  /** The table had dropped an insert as a repeat, but did not have its rows: `rows` of them were put back. */
  | { readonly kind: "mended"; readonly rows: number }
  | {
      readonly kind: "rows_refused";
      readonly rows: number;
      readonly detail: string;
    }
  | { readonly kind: "unavailable"; readonly detail: string }
  | {
      readonly kind: "waiting";
      readonly problem: string;
      readonly needsOperator: boolean;
    }
  | { readonly kind: "healed"; readonly problem: string }
  | { readonly kind: "failed"; readonly error: unknown };
