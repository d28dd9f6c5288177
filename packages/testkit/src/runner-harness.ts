/**
 * For unit tests of the stage runner and its parts: a runner over a fake consumer and an output that acknowledges when the
 * test says so. Call `useStageRunner()` at the top of a test file; it stops the runners that a test has left running.
 */
import {
  createStageRunner,
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  type Decoder,
  type OutRecord,
  type Output,
  type RawRecord,
  type RunnerLimits,
  type Stage,
  type StageRunnerOptions,
  type Verdict,
} from "@postrider/messaging";
import type { Meter } from "@postrider/runtime";
import { fakeClock, type FakeClock } from "./fake-clock.ts";
import { FakeConsumer } from "./fake-consumer.ts";
import { recordingLog, type RecordingLog } from "./test-effects.ts";
import { waitFor, type Truthy } from "./wait-for.ts";

/** The topic that these runners read. */
export const TOPIC = "t.in";

/** Waits for something that a runner on fakes does within moments. */
export function soon<T>(condition: () => T): Promise<Truthy<T>> {
  return waitFor(condition, { everyMs: 1 });
}

/** Lets the event loop turn `count` times, so that everything runs that waits for no timer. */
export async function turns(count = 20): Promise<void> {
  for (let n = 0; n < count; n++)
    await new Promise((resolve) => setImmediate(resolve));
}

/** `count` values of one lane: `lane/0`, `lane/1`, … */
export function inOneLane(lane: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => `${lane}/${from + n}`);
}

/** `count` values, each in a lane of its own: `l0/1`, `l1/1`, … */
export function eachInItsOwnLane(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}/1`);
}

/** `lane/text` decodes to itself; `?` has an unknown schema, and `!` is unreadable. */
export const decodeText: Decoder<string> = (raw) => {
  const text = raw.value!.toString();
  if (text === "?") return { kind: "unknown_schema", schema: "s1" };
  if (text === "!")
    return { kind: "unreadable", reason: "unreadable", detail: "a bang" };
  return { kind: "decoded", value: text };
};

/** The decoded content of a commit: every offset below `next` is done, except the open ones. */
export interface SpelledCommit {
  /** The committed offset: the lowest open one, or `next`. */
  readonly offset: number;
  readonly next: number;
  /** Ascending. */
  readonly open: readonly number[];
}

/** Encodes a commit as the group stores it. `by` is the tag of the member that wrote it: letters, digits and hyphens. */
export function storedCommit(
  { offset, next, open }: SpelledCommit,
  by: string,
): { offset: number; metadata: string } {
  const runs: number[] = [];
  for (const each of open)
    if (each === runs.at(-2)! + runs.at(-1)!) runs[runs.length - 1]!++;
    else runs.push(each, 1);
  const metadata = encodeOffsetMetadata({
    base: offset,
    next,
    runs,
    tag: by,
    counter: 1,
  });
  return { offset, metadata };
}

/** Decodes a stored commit. */
export function spelledCommit(stored: {
  readonly offset: number;
  readonly metadata: string;
}): SpelledCommit {
  const { offset, metadata } = stored;
  const { next, runs } = decodeOffsetMetadata(metadata, offset)!;
  const open: number[] = [];
  for (let i = 0; i < runs.length; i += 2)
    for (let n = 0; n < runs[i + 1]!; n++) open.push(runs[i]! + n);
  return { offset, next, open };
}

export class FakeOutput implements Output {
  readonly sent: {
    records: readonly OutRecord[];
    source: RawRecord | undefined;
  }[] = [];
  /** False: records that are sent wait until the test calls `acknowledge`. */
  isPrompt = true;
  oldestMs = 0;
  /** The errors with which the next calls reject, in order; null: that call succeeds. */
  readonly refusals: (Error | null)[] = [];
  #waiting: (() => void)[] = [];

  start = async () => undefined;
  stop = async () => undefined;

  send(records: readonly OutRecord[], source?: RawRecord): Promise<void> {
    const refusal = this.refusals.shift() ?? null;
    if (refusal !== null) return Promise.reject(refusal);
    this.sent.push({ records, source });
    if (this.isPrompt) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  sendThen(...[records, source, ended]: Parameters<Output["sendThen"]>): void {
    void this.send(records, source).then(() => ended(null), ended);
  }

  acknowledge(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  unacknowledged(): number {
    return this.#waiting.length;
  }

  oldestUnacknowledgedMs(): number {
    return this.oldestMs;
  }
}

/** A handler that was started, with the functions that end it. */
export interface Handling {
  readonly value: string;
  readonly offset: number;
  readonly partition: number;
  emit(): void;
  reject(): void;
  throw(): void;
}

export interface RunnerOptions extends Pick<
  Partial<StageRunnerOptions<string>>,
  "observer" | "loopUse" | "waitsFor"
> {
  readonly stage?: Partial<Stage<string>>;
  readonly limits?: Partial<RunnerLimits>;
  readonly decode?: Decoder<string>;
  readonly meter?: Meter;
  readonly clock?: FakeClock;
  /** Handlers emit at once, without waiting for the test. */
  readonly isPrompt?: boolean;
}

/** A stage runner with the fakes that it runs on, and a record of what it has done. */
export class RunnerUnderTest {
  readonly clock: FakeClock;
  readonly consumer: FakeConsumer;
  readonly output = new FakeOutput();
  readonly log: RecordingLog = recordingLog();
  /** The handlers that have started and not ended. */
  readonly handling: Handling[] = [];
  /** The values of the records, in the order in which their handlers started. */
  readonly started: string[] = [];
  readonly runner: ReturnType<typeof createStageRunner>;

  constructor(options: RunnerOptions) {
    this.clock = options.clock ?? fakeClock();
    this.consumer = new FakeConsumer({ topic: TOPIC, clock: this.clock });
    const nothing = {
      inc: () => undefined,
      set: () => undefined,
      observe: () => undefined,
    };
    this.runner = createStageRunner({
      name: "test",
      stage: {
        laneOf: ({ value }) => value.split("/")[0]!,
        laneConcurrency: () => 1,
        handle: ({ raw, value }) => this.#handle(raw, value, options),
        ...options.stage,
      },
      decode: options.decode ?? decodeText,
      kafka: { consumer: () => this.consumer },
      groupId: "g",
      topics: [TOPIC],
      output: this.output,
      log: this.log,
      meter: options.meter ?? {
        counter: () => nothing,
        gauge: () => nothing,
        histogram: () => nothing,
      },
      clock: this.clock,
      observer: options.observer,
      waitsFor: options.waitsFor,
      // An idle event loop, unless the test sets another. The real measurement would depend on how busy the tests are.
      loopUse:
        options.loopUse ??
        (() => ({ active: 0, idle: this.clock.monotonic() })),
      limits: { commitIntervalMs: 1, ...options.limits },
    });
  }

  /** Starts the runner and waits until it owns these partitions. */
  async startWith(...partitions: readonly number[]): Promise<void> {
    await this.runner.start();
    await this.assign(...partitions);
  }

  /** Waits until the runner owns exactly these partitions. */
  async assign(...partitions: readonly number[]): Promise<void> {
    const before = this.consumer.seeks.length;
    this.consumer.assign(...partitions);
    await soon(() => this.consumer.seeks.length >= before + partitions.length);
    await soon(() => this.runner.health().ready.every(({ isOk }) => isOk));
  }

  /** Appends records to partition 0 and lets the runner fetch them. */
  read(...values: readonly (string | null)[]): void {
    this.consumer.append(0, ...values);
    this.consumer.deliver();
  }

  /** The running handler of the record with this value. */
  handlingOf(value: string): Handling {
    const found = this.handling.find((one) => one.value === value);
    if (found === undefined) throw new Error(`${value} is not being handled`);
    return found;
  }

  /** Lets every running handler emit. */
  emitAll(): void {
    for (const one of this.handling.slice()) one.emit();
  }

  /** Waits until `count` commits were sent since the start. */
  async commitsSent(count: number): Promise<void> {
    await soon(() => this.consumer.commits.length === count);
  }

  /** The decoded last commit of a partition, acknowledged or not. */
  lastCommit(partition = 0): SpelledCommit {
    const sent = this.consumer.commits
      .flatMap(([, offsets]) => offsets)
      .filter((offset) => offset.partition === partition);
    return spelledCommit(sent.at(-1)!);
  }

  /** Waits until partition 0 is committed to this offset, which means that everything below it is done. */
  async committedTo(offset: number): Promise<void> {
    await soon(() => this.lastCommit().offset === offset);
  }

  /** Commits from now on are not answered until the returned promise is resolved or rejected. */
  holdCommits(): PromiseWithResolvers<void> {
    const gate = Promise.withResolvers<void>();
    // If the test rejects the gate before a commit waits for it, that must not be an unhandled rejection.
    gate.promise.catch(() => undefined);
    this.consumer.commitGate = gate.promise;
    return gate;
  }

  /** Commits from now on are acknowledged at once. */
  answerCommits(): void {
    this.consumer.commitGate = null;
  }

  #handle(
    raw: RawRecord,
    value: string,
    { isPrompt = false }: RunnerOptions,
  ): Promise<Verdict> {
    this.started.push(value);
    const emit: Verdict = {
      kind: "emit",
      records: [{ topic: "attempts", key: raw.key, value: raw.value! }],
    };
    if (isPrompt) return Promise.resolve(emit);
    return new Promise((resolve, reject) => {
      const end = (how: () => void) => (): void => {
        this.handling.splice(this.handling.indexOf(one), 1);
        how();
      };
      const one: Handling = {
        value,
        offset: raw.offset,
        partition: raw.partition,
        emit: end(() => resolve(emit)),
        reject: end(() =>
          resolve({ kind: "reject", reason: "invalid", detail: "bad" }),
        ),
        throw: end(() => reject(new Error("a bug"))),
      };
      this.handling.push(one);
    });
  }
}

export interface StageRunners {
  /** A runner that is not started. */
  create(options?: RunnerOptions): RunnerUnderTest;
  /** A runner that owns partitions 0 and 1, and has fetched these values from partition 0. */
  started(
    values: readonly string[],
    options?: RunnerOptions,
  ): Promise<RunnerUnderTest>;
}

/** Makes the runners of a test file and stops them. Handlers and commits that a test left open are not waited for. */
export function useStageRunner(): StageRunners {
  const made: RunnerUnderTest[] = [];
  // Not imported: outside of jest `@jest/globals` throws, and the CLI imports this package for its receiver.
  const { afterEach } = globalThis as unknown as typeof import("@jest/globals");
  afterEach(async () => {
    for (const { runner, clock } of made.splice(0))
      await runner.stop(clock.now());
  });
  const create = (options: RunnerOptions = {}): RunnerUnderTest => {
    const under = new RunnerUnderTest(options);
    made.push(under);
    return under;
  };
  return {
    create,
    started: async (values, options) => {
      const under = create(options);
      under.consumer.append(0, ...values);
      await under.startWith(0, 1);
      under.consumer.deliver();
      return under;
    },
  };
}
