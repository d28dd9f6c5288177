/** Wires what tells about Postrider itself: signals always, events to the operator where a tenant is named for them. */
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
  replaySignal,
  signalRecord,
} from "./operations/operational-event.ts";
import { createPace } from "./operations/pace.ts";
import { createToldSignalsStage } from "./operations/told-signals.stage.ts";
import type { Reading } from "./reads/reading.ts";
import { visibleTo } from "./replays/replay.ts";
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
  /** Before a replay is stored as done; resolves once the operator's event is acknowledged, where there is one. */
  replayFinished(replay: Replay): Promise<void>;
  /** The signal that is written with the end of a replay, in the same transaction. */
  alsoWrittenAtEnd(replay: Replay): ProducerRecord;
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
  const written = (value: Signal): ProducerRecord => {
    const record = signalRecord(value);
    const key = Buffer.from(record.key);
    const { topic } = signals;
    const partition = partitionOf(key, signals.partitions());
    return { topic, partition, key, value: encode(record) };
  };
  const telling = (tenant: string): Telling => ({
    stageOf: (gone) =>
      createToldSignalsStage({
        gone,
        endpoints,
        operationsTenant: tenant,
        pace: createPace(TOLD_PER_SECOND, clock),
      }),
    limits: { maxInFlight: MAX_IN_FLIGHT },
    async replayFinished(replay) {
      const now = clock.now();
      const event = ofReplay(replay, { operationsTenant: tenant, now });
      if (event !== null) await send(eventRecord(tenant, event));
    },
  });
  return {
    parts: [
      createDeadLetterWatch({
        ...options,
        operationsTenant,
        threshold: config.operationsDeadLetters,
      }),
    ],
    ...(operationsTenant === null ? UNTOLD : telling(operationsTenant)),
    alsoWritten(before, after) {
      const value = disabledSignal(before, after);
      return value === null ? [] : [written(value)];
    },
    alsoWrittenAtEnd: (replay) =>
      written(replaySignal(replay, visibleTo(replay))),
  };
}

type Telling = Pick<Operations, "stageOf" | "limits" | "replayFinished">;

/** No tenant is named: signals are written, and no event. */
const UNTOLD: Telling = {
  stageOf: (gone) => gone,
  limits: undefined,
  replayFinished: () => Promise.resolve(),
};
