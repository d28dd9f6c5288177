/** For the runner's unit tests: one member's side of a group, moved by hand, and an output that acknowledges when told to. */
import type { Decoder, Stage, Verdict } from "../stage.ts";
import type { Clock, LogFields, Meter } from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import type {
  CommittedOffset,
  Consumer,
  ConsumerListener,
  LogRange,
  TopicPartition,
} from "../ports.ts";
import type { OutRecord, RawRecord } from "../record.ts";
import type { RunnerLimits } from "./runner-limits.ts";
import type { RunnerObserver } from "../offsets/offset-observer.ts";
import type { LoopUse } from "../lanes/saturation.ts";
import { createStageRunner } from "./stage-runner.ts";

export const TOPIC = "t.in";

export type Commit = Parameters<Consumer["commit"]>;

export class HandMovedConsumer implements Consumer {
  readonly clock: Clock;
  listener: ConsumerListener | null = null;
  epoch = 0;
  readonly logs = new Map<number, RawRecord[]>();
  /** The first offset of each log; 0 unless set. */
  readonly logStart = new Map<number, number>();
  readonly stored = new Map<number, CommittedOffset>();
  readonly positions = new Map<number, number>();
  readonly paused = new Set<number>();
  readonly seeks: [partition: number, offset: number][] = [];
  readonly commits: Commit[] = [];
  readonly calls: string[] = [];
  heartbeatAt: number;
  /** While set, commits wait for it; when it rejects, so do they. */
  commitGate: Promise<void> | null = null;
  fetchGate: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
    this.heartbeatAt = clock.monotonic();
  }

  /** Appends a record; its value is `lane/text`. Gives its offset. */
  append(partition: number, value: string | null, offset?: number): number {
    const log = this.log(partition);
    const at = offset ?? (log.at(-1)?.offset ?? -1) + 1;
    log.push({
      topic: TOPIC,
      partition,
      offset: at,
      timestamp: 1,
      key: Buffer.from("key"),
      value: value === null ? null : Buffer.from(value),
      headers: {},
    });
    return at;
  }

  log(partition: number): RawRecord[] {
    let log = this.logs.get(partition);
    if (log === undefined) this.logs.set(partition, (log = []));
    return log;
  }

  assign(...partitions: readonly number[]): void {
    this.epoch++;
    for (const partition of partitions) this.paused.add(partition);
    this.listener!.connected(true);
    this.listener!.assigned(this.epoch, partitions.map(topicPartition));
  }

  revoke(): void {
    this.listener!.revoking(this.epoch);
  }

  /** One fetch: what is not paused, from where it stands. True if something came. */
  deliver(most = 500): boolean {
    let any = false;
    for (const [partition, log] of this.logs) {
      const position = this.positions.get(partition);
      if (position === undefined || this.paused.has(partition)) continue;
      const records = log
        .filter(({ offset }) => offset >= position)
        .slice(0, most);
      if (records.length === 0) continue;
      any = true;
      const lastOffset = records.at(-1)!.offset;
      this.positions.set(partition, lastOffset + 1);
      this.listener!.batch(this.epoch, {
        ...topicPartition(partition),
        fetchOffset: position,
        records,
        lastOffset,
        highWatermark: (log.at(-1)?.offset ?? -1) + 1,
      });
    }
    return any;
  }

  async start(listener: ConsumerListener): Promise<void> {
    this.listener = listener;
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.calls.push("pause");
    for (const { partition } of partitions) this.paused.add(partition);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.paused.delete(partition);
  }

  seek({ partition }: TopicPartition, offset: number): void {
    this.seeks.push([partition, offset]);
    this.positions.set(partition, offset);
  }

  async commit(...commit: Commit): Promise<void> {
    this.commits.push(commit);
    this.calls.push("commit");
    await this.commitGate;
    for (const offset of commit[1]) this.stored.set(offset.partition, offset);
  }

  async fetchCommitted(
    partitions: readonly TopicPartition[],
  ): Promise<CommittedOffset[]> {
    await this.fetchGate;
    return partitions.map(
      ({ partition }) =>
        this.stored.get(partition) ?? {
          ...topicPartition(partition),
          offset: null,
          metadata: "",
        },
    );
  }

  async fetchLogRanges(
    partitions: readonly TopicPartition[],
  ): Promise<LogRange[]> {
    return partitions.map(({ partition }) => ({
      ...topicPartition(partition),
      start: this.logStart.get(partition) ?? 0,
      end: (this.log(partition).at(-1)?.offset ?? -1) + 1,
    }));
  }

  lastHeartbeatAt(): number {
    return this.heartbeatAt;
  }

  lastFetchAt(): number {
    return this.clock.monotonic();
  }

  async stop(): Promise<void> {
    this.calls.push("stop");
  }
}

export class HandMovedOutput implements Output {
  readonly sent: {
    records: readonly OutRecord[];
    source: RawRecord | undefined;
  }[] = [];
  /** False: what is sent waits for `acknowledge`. */
  isPrompt = true;
  #waiting: (() => void)[] = [];
  oldestMs = 0;
  /** What the next calls reject with, in turn; null: the call is taken. */
  readonly refusals: (Error | null)[] = [];

  start = async () => undefined;
  stop = async () => undefined;

  send(records: readonly OutRecord[], source?: RawRecord): Promise<void> {
    const refusal = this.refusals.shift() ?? null;
    if (refusal !== null) return Promise.reject(refusal);
    this.sent.push({ records, source });
    if (this.isPrompt) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
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

/** `lane/text` decodes to itself; `?` alone is of an unknown schema, `!` alone is unreadable. */
export const decodeText: Decoder<string> = (raw) => {
  const text = raw.value!.toString();
  if (text === "?") return { kind: "unknown_schema", schema: "s1" };
  if (text === "!")
    return { kind: "unreadable", reason: "unreadable", detail: "a bang" };
  return { kind: "decoded", value: text };
};

export interface Handling {
  readonly value: string;
  readonly offset: number;
  readonly partition: number;
  emit(): void;
  reject(): void;
  throw(): void;
}

export interface RunnerUnderTest {
  readonly consumer: HandMovedConsumer;
  readonly output: HandMovedOutput;
  /** Handlers that were started and not answered. */
  readonly handling: Handling[];
  /** Values in the order in which their handlers were started. */
  readonly started: string[];
  readonly lines: { event: string; fields: LogFields }[];
  readonly runner: ReturnType<typeof createStageRunner>;
  handlingOf(value: string): Handling;
}

export function runnerUnderTest(options: {
  readonly clock: Clock;
  readonly stage?: Partial<Stage<string>>;
  readonly limits?: Partial<RunnerLimits>;
  readonly decode?: Decoder<string>;
  readonly observer?: RunnerObserver;
  readonly loopUse?: () => LoopUse;
  readonly meter?: Meter;
  /** Handlers emit at once. */
  readonly isPrompt?: boolean;
}): RunnerUnderTest {
  const { clock } = options;
  const consumer = new HandMovedConsumer(clock);
  const output = new HandMovedOutput();
  const handling: Handling[] = [];
  const started: string[] = [];
  const lines: RunnerUnderTest["lines"] = [];
  const stage: Stage<string> = {
    laneOf: ({ value }) => value.split("/")[0]!,
    laneConcurrency: () => 1,
    handle: ({ raw, value }) => {
      started.push(value);
      const emit: Verdict = {
        kind: "emit",
        records: [{ topic: "attempts", key: raw.key, value: raw.value! }],
      };
      if (options.isPrompt === true) return Promise.resolve(emit);
      return new Promise((resolve, reject) => {
        const one: Handling = {
          value,
          offset: raw.offset,
          partition: raw.partition,
          emit: () => answer(() => resolve(emit)),
          reject: () =>
            answer(() =>
              resolve({ kind: "reject", reason: "invalid", detail: "bad" }),
            ),
          throw: () => answer(() => reject(new Error("a bug"))),
        };
        const answer = (with_: () => void) => {
          handling.splice(handling.indexOf(one), 1);
          with_();
        };
        handling.push(one);
      });
    },
    ...options.stage,
  };
  const note = (event: string, fields: LogFields = {}) =>
    void lines.push({ event, fields });
  const nothing = {
    inc: () => undefined,
    set: () => undefined,
    observe: () => undefined,
  };
  const runner = createStageRunner({
    name: "test",
    stage,
    decode: options.decode ?? decodeText,
    kafka: { consumer: () => consumer },
    groupId: "g",
    topics: [TOPIC],
    output,
    log: { debug: note, info: note, warn: note, error: note },
    meter: options.meter ?? {
      counter: () => nothing,
      gauge: () => nothing,
      histogram: () => nothing,
    },
    clock,
    observer: options.observer,
    // Idle, unless told otherwise: the real one would tell how busy the tests are.
    loopUse:
      options.loopUse ?? (() => ({ active: 0, idle: clock.monotonic() })),
    limits: { commitIntervalMs: 1, ...options.limits },
  });
  const handlingOf = (value: string) => {
    const found = handling.find((one) => one.value === value);
    if (found === undefined) throw new Error(`${value} is not being handled`);
    return found;
  };
  return { consumer, output, handling, started, lines, runner, handlingOf };
}

function topicPartition(partition: number): TopicPartition {
  return { topic: TOPIC, partition };
}
