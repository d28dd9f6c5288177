/** The options, limits and interface of a batch runner. */
import type { EpochMs } from "@postrider/core";
import type { RecordStage } from "./batch-judge.ts";
import type { BatchLimits } from "./partition-host.ts";
import type { Refusal } from "./batch-entry.ts";
import type { BatchTarget } from "./batch-target.ts";
import {
  DEFAULT_SESSION_TIMEOUT_MS,
  type Clock,
  type Lifecycle,
  type Log,
  type Meter,
} from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import type { Consumer, ConsumerOptions } from "../ports.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { Decoder } from "../stage.ts";

export interface BatchRunnerOptions<In, Row> {
  /** The name in logs, metrics and checks, for example `record.attempts`. */
  readonly name: string;
  /** The full name of the topic. One topic feeds one table. */
  readonly topic: string;
  readonly groupId: string;
  readonly stage: RecordStage<In, Row>;
  readonly decode: Decoder<In>;
  readonly target: BatchTarget<Row>;
  readonly kafka: { consumer(options: ConsumerOptions): Consumer };
  /** Takes the dead letters. Not used if the stage has `reducedRowOf`. */
  readonly output: Pick<Output, "send">;
  /** The dead letter of a refused record. The same arguments must give an equal dead letter, because it is produced again after a crash. */
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
  /** Records of a batch, of all partitions together, at most. Default 20,000: far below one insert block of ClickHouse. */
  readonly maxRecords: number;
  /** Bytes of a batch, at most. Default 16 MB. */
  readonly maxBytes: number;
  /** How long the first record of a batch waits for others, at least (`InsertLinger`). Default 1 s. */
  readonly lingerMs: number;
  /** Bytes fetched and not yet recorded, over all partitions. Default 64 MiB; a partition has 1 MiB at least. */
  readonly byteBudget: number;
  /** Default `DEFAULT_SESSION_TIMEOUT_MS`. */
  readonly sessionTimeoutMs: number;
  /** How long a record waits for its schema before it is a dead letter. Default 5 minutes. */
  readonly unknownSchemaWaitMs: number;
}

export const BATCH_RUNNER_LIMITS: BatchRunnerLimits = {
  maxRecords: 20_000,
  maxBytes: 16_000_000,
  lingerMs: 1_000,
  byteBudget: 64 * 1024 * 1024,
  sessionTimeoutMs: DEFAULT_SESSION_TIMEOUT_MS,
  unknownSchemaWaitMs: 300_000,
};

/** The result of one health check, as the admin port shows it. */
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

/** A partition queues so much at least, whatever its share of the budget. */
const LEAST_QUEUE_BYTES = 1 << 20;

/** The limits of an assignment of `count` partitions. */
export function batchLimits(
  limits: BatchRunnerLimits,
  count: number,
): BatchLimits {
  return {
    maxRecords: limits.maxRecords,
    maxBytes: limits.maxBytes,
    lingerMs: limits.lingerMs,
    queueBytes: Math.max(
      Math.min(LEAST_QUEUE_BYTES, limits.byteBudget),
      Math.floor(limits.byteBudget / Math.max(count, 1)),
    ),
    schemaPollMs: Math.min(1_000, Math.max(limits.unknownSchemaWaitMs / 4, 10)),
  };
}
