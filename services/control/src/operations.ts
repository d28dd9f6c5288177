/** Wires what tells the operator about Postrider itself; nothing of it is there unless a tenant is named for it. */
import type { Endpoint, Replay, Signal } from "@postrider/core";
import {
  partitionOf,
  type OutRecord,
  type ProducerRecord,
  type RunnerLimits,
  type Stage,
} from "@postrider/messaging";
import type { Clock, Lifecycle, Log } from "@postrider/runtime";
import type { ControlConfig } from "./config.ts";
import { createDeadLetterWatch } from "./operations/dead-letter-watch.ts";
import {
  disabledSignal,
  eventRecord,
  ofReplay,
} from "./operations/operational-event.ts";
import { createPace } from "./operations/pace.ts";
import { createToldSignalsStage } from "./operations/told-signals.stage.ts";
import type { Reading } from "./reads/reading.ts";
import type { Ownership } from "./writer/ownership.ts";

/** A thousand breakers that open at once are told within 50 seconds. */
const TOLD_PER_SECOND = 20;
/** Each signal that waits for its turn has begun, and a runner's stop lets what has begun end. With so many a stop takes 2 s, not 50. */
const MAX_IN_FLIGHT = 2 * TOLD_PER_SECOND;

export interface Operations {
  readonly parts: readonly Lifecycle[];
  /** The stage that handles signals: the given one, or one that also tells of them. */
  stageOf(gone: Stage<Signal>): Stage<Signal>;
  /** Besides the limits of every runner. */
  readonly limits: Pick<RunnerLimits, "maxInFlight"> | undefined;
  /** The signal that is written with a change of an endpoint, in the same transaction. */
  alsoWritten(before: Endpoint, after: Endpoint | null): ProducerRecord[];
  /** Resolves once it is acknowledged that the replay has finished. */
  replayFinished(replay: Replay): Promise<void>;
}

export function composeOperations(options: {
  readonly config: Pick<
    ControlConfig,
    "operationsTenant" | "operationsDeadLetters"
  >;
  readonly clock: Clock;
  readonly log: Log;
  readonly endpoints: { get(id: string): Endpoint | undefined };
  readonly encode: (record: OutRecord) => Buffer;
  readonly send: (record: OutRecord) => Promise<void>;
  readonly select: Reading["select"];
  readonly ownership: Pick<Ownership, "onTenure">;
  /** The full name of `signals`, and how many partitions it has in this tenure. */
  readonly signals: {
    readonly topic: string;
    readonly partitions: () => number;
  };
}): Operations {
  const { config, clock, endpoints, encode, send, signals } = options;
  const { operationsTenant } = config;
  if (operationsTenant === null) return SILENT;
  return {
    parts: [
      createDeadLetterWatch({
        ...options,
        operationsTenant,
        threshold: config.operationsDeadLetters,
      }),
    ],
    stageOf: (gone) =>
      createToldSignalsStage({
        gone,
        endpoints,
        operationsTenant,
        pace: createPace(TOLD_PER_SECOND, clock),
      }),
    limits: { maxInFlight: MAX_IN_FLIGHT },
    alsoWritten(before, after) {
      const value = disabledSignal(before, after);
      if (value === null || value.tenantId === operationsTenant) return [];
      const key = Buffer.from(value.endpointId);
      const { topic } = signals;
      const partition = partitionOf(key, signals.partitions());
      const record = {
        topic: "signals",
        key: value.endpointId,
        value,
      } as const;
      return [{ topic, partition, key, value: encode(record) }];
    },
    async replayFinished(replay) {
      const now = clock.now();
      const event = ofReplay(replay, { operationsTenant, now });
      if (event !== null) await send(eventRecord(operationsTenant, event));
    },
  };
}

const SILENT: Operations = {
  parts: [],
  stageOf: (gone) => gone,
  limits: undefined,
  alsoWritten: () => [],
  replayFinished: () => Promise.resolve(),
};
