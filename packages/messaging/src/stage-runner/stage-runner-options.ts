import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import type { Consumer, ConsumerOptions } from "../ports.ts";
import type { RunnerHealth } from "./runner-health.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import type { RunnerObserver } from "../offsets/offset-observer.ts";
import type { LoopUse } from "../lanes/saturation.ts";
import type { Decoder, Stage } from "../stage.ts";

export interface StageRunnerOptions<In> {
  /** The stage's name as in docs/glossary.md: route, deliver, hold. */
  readonly name: string;
  readonly stage: Stage<In>;
  readonly decode: Decoder<In>;
  readonly kafka: { consumer(options: ConsumerOptions): Consumer };
  readonly groupId: string;
  /** Full names, with the prefix. */
  readonly topics: readonly string[];
  /** Started before the runner and stopped after it. */
  readonly output: Output;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Why no handler may start now, as a sentence; null if one may. Called before each start, so it must be cheap. Default: always null. */
  readonly waitsFor?: (() => string | null) | undefined;
  readonly limits?: Partial<RunnerLimits>;
  /** Default: a dead letter that holds the raw record (dead-letter-of). */
  readonly deadLetterOf?: DeadLetterOf;
  /** How long the event loop has been active and idle so far, ms. Default: `performance.eventLoopUtilization`. */
  readonly loopUse?: () => LoopUse;
  /** Used by fault runs only. */
  readonly observer?: RunnerObserver | undefined;
}

export interface RunnerStats {
  readonly partitions: number;
  readonly open: number;
  readonly queued: number;
  readonly inFlight: number;
  readonly lanes: number;
  readonly commitAgeMs: number;
}

export interface StageRunner extends Lifecycle {
  health(): RunnerHealth;
  stats(): RunnerStats;
}
