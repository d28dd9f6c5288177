/** The port of the partitions of one assignment: what they call on their runner, and the facts that they report. */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Judged } from "./batch-judge.ts";
import type { RefusedEntry } from "./batch-entry.ts";
import type { BatchStart } from "./batch-start.ts";
import type { InsertResult, MendResult } from "./batch-target.ts";
import type { PartitionCommit } from "./commit-lane.ts";
import type { Intent } from "./intent-metadata.ts";
import type { FetchedBatch, LogRange, TopicPartition } from "../ports.ts";
import type { RawRecord } from "../record.ts";

export interface BatchLimits {
  /** Records and bytes of a batch, of all its partitions together. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly lingerMs: number;
  /** Fetching of a partition pauses above it and goes on at half of it. */
  readonly queueBytes: number;
  /** From one try to the next to decode a record whose schema is not known, ms. */
  readonly schemaPollMs: number;
}

/** A commit of one partition: as the group stores it, or should. */
export interface Position {
  readonly offset: number | null;
  readonly metadata: string;
}

/** What an assignment calls on its runner. All calls concern its own epoch. */
export interface AssignmentHost<Row> {
  readonly table: string;
  readonly topic: string;
  readonly limits: BatchLimits;
  /** Every member of the group reads intents of several partitions. */
  readonly mayShare: boolean;
  judge(records: readonly RawRecord[]): Judged<Row>;
  now(): EpochMs;
  monotonic(): MonotonicMs;
  random(): number;
  /** The last acknowledged heartbeat is recent enough: the partitions cannot belong to another member. */
  isLeaseValid(): boolean;
  fetchCommitted(source: TopicPartition): Promise<Position>;
  fetchLogRange(source: TopicPartition): Promise<LogRange>;
  /** As `Consumer.fetchOnce`. */
  fetchOnce(
    source: TopicPartition,
    offset: number,
    maxBytes: number,
  ): Promise<FetchedBatch | null>;
  /** All leave in one request. */
  commit(commits: readonly PartitionCommit[]): Promise<void>;
  insert(rows: readonly Row[], token: string): Promise<InsertResult>;
  mend(rows: readonly Row[], token: string): Promise<MendResult>;
  refuse(entries: readonly RefusedEntry[], at: EpochMs): Promise<void>;
  reducedRowOf: ((entry: RefusedEntry, at: EpochMs) => Row) | undefined;
  pause(source: TopicPartition): void;
  resume(source: TopicPartition): void;
  seek(source: TopicPartition, offset: number): void;
  report(place: Place, fact: BatchFact): void;
}

/** Where something happened: in one partition, or in all of the topic. */
export interface Place {
  readonly topic: string;
  readonly partition?: number;
}

/** A fact that is logged or counted. */
export type BatchFact =
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
