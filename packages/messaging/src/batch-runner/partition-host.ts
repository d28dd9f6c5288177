/** What one partition of a batch runner asks of its runner, and tells it. */
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
  /** How often a record whose schema is not known is tried again. */
  readonly schemaPollMs: number;
}

/** What the group stores, or should. */
export interface Position {
  readonly offset: number | null;
  readonly metadata: string;
}

/** What a partition asks of its runner; all of it for its own partition and epoch. */
export interface PartitionHost<Row> {
  readonly table: string;
  readonly limits: PartitionLimits;
  judge(records: readonly RawRecord[]): Judged<Row>;
  now(): EpochMs;
  monotonic(): MonotonicMs;
  random(): number;
  /** The coordinator heard of us so lately that the partition cannot be another's. */
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

/** What is worth a line or a count. */
export type PartitionFact =
  | { readonly kind: "started"; readonly start: BatchStart }
  /** The stored intent is of another log under the same name: not repeated. */
  | { readonly kind: "intent_foreign"; readonly intent: Intent }
  | { readonly kind: "lost"; readonly from: number; readonly to: number }
  | { readonly kind: "inserted"; readonly rows: number }
  /** The table had taken an insert for a repeat without having its rows: they were put back. */
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
