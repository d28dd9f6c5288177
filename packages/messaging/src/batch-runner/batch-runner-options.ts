/** What a batch runner is made from, and what it is to its users. */
import type { EpochMs } from "@postrider/core";
import type { RecordStage } from "./batch-judge.ts";
import type { PartitionLimits } from "./partition-host.ts";
import type { Refusal } from "./batch-protocol.ts";
import type { BatchTarget } from "./batch-target.ts";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import type { Consumer, ConsumerOptions } from "../ports.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { Decoder } from "../stage.ts";

export interface BatchRunnerOptions<In, Row> {
  /** For logs, metrics and checks: `record.attempts`. */
  readonly name: string;
  /** The full name of the topic. One topic feeds one table. */
  readonly topic: string;
  readonly groupId: string;
  readonly stage: RecordStage<In, Row>;
  readonly decode: Decoder<In>;
  readonly target: BatchTarget<Row>;
  readonly kafka: { consumer(options: ConsumerOptions): Consumer };
  /** Takes the dead letters; not used where the stage has `reducedRowOf`. */
  readonly output: Pick<Output, "send">;
  /** The dead letter of a refused record. The same arguments must give an equal one: it is repeated after a crash. */
  readonly deadLetterOf: (
    raw: RawRecord,
    refusal: Refusal,
    at: EpochMs,
  ) => OutRecord;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly limits?: Partial<BatchRunnerLimits>;
}

export interface BatchRunnerLimits {
  /** Records of a batch. Default 5,000: far below one insert block. */
  readonly maxRecords: number;
  /** Their bytes. Default 4 MB. */
  readonly maxBytes: number;
  /** How long the first record of a batch waits for others, at least (`InsertLinger`). Default 200 ms. */
  readonly lingerMs: number;
  /** Bytes fetched and not yet recorded, over all partitions. Default 64 MiB; a partition has at least one batch's worth. */
  readonly byteBudget: number;
  /** Default 30 s. */
  readonly sessionTimeoutMs: number;
  /** How long a record waits for its schema before it is a dead letter. Default 5 minutes. */
  readonly unknownSchemaWaitMs: number;
}

export const BATCH_RUNNER_LIMITS: BatchRunnerLimits = {
  maxRecords: 5_000,
  maxBytes: 4_000_000,
  lingerMs: 200,
  byteBudget: 64 * 1024 * 1024,
  sessionTimeoutMs: 30_000,
  unknownSchemaWaitMs: 300_000,
};

/** One thing that was looked at, as the admin port shows it. */
export interface BatchCheck {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

export interface BatchRunner extends Lifecycle {
  health(): {
    readonly ready: readonly BatchCheck[];
    readonly live: readonly BatchCheck[];
  };
}

/** What one of `count` partitions may hold. */
export function partitionLimits(
  limits: BatchRunnerLimits,
  count: number,
): PartitionLimits {
  return {
    maxRecords: limits.maxRecords,
    maxBytes: limits.maxBytes,
    lingerMs: limits.lingerMs,
    queueBytes: Math.max(
      limits.maxBytes,
      Math.floor(limits.byteBudget / Math.max(count, 1)),
    ),
    schemaPollMs: Math.min(1_000, Math.max(limits.unknownSchemaWaitMs / 4, 10)),
  };
}
