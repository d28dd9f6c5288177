/**
 * A batch runner over a fake consumer that moves by itself and a table in memory, each of which can be made to fail: for unit
 * tests. `useBatchRunner()` stands at the top of a test file; it stops what a test has left running.
 */
import {
  createBatchRunner,
  type BatchRunner,
  type BatchRunnerLimits,
  type Decoded,
  type InsertResult,
  type MendResult,
  type OutRecord,
  type RecordStage,
} from "@postrider/messaging";
import { systemClock } from "@postrider/runtime";
import { FakeConsumer } from "./fake-consumer.ts";

/** The topic that these runners read. */
export const BATCH_TOPIC = "p.attempts";

/** A table that keeps the rows of a token once. `answer` may make it fail; with `forgets` it keeps tokens without their rows. */
export class FakeTable {
  readonly table = "attempts";
  readonly rows: string[] = [];
  /** Of each insert, also those that failed. */
  readonly tokens: string[] = [];
  /** Tokens of the ranges that were looked at. */
  readonly looks: string[] = [];
  forgets = false;
  answer: (rows: readonly string[]) => InsertResult | Promise<InsertResult> =
    () => ({ kind: "inserted" });
  readonly #seen = new Set<string>();

  insert = async (
    rows: readonly string[],
    token: string,
  ): Promise<InsertResult> => {
    this.tokens.push(token);
    const answer = await this.answer(rows);
    if (answer.kind === "inserted" && !this.#seen.has(token) && !this.forgets)
      this.rows.push(...rows);
    if (answer.kind === "inserted") this.#seen.add(token);
    return answer;
  };

  mend = (rows: readonly string[], token: string): Promise<MendResult> => {
    this.looks.push(token);
    const missing = rows.filter((row) => !this.rows.includes(row));
    this.rows.push(...missing);
    return Promise.resolve({ kind: "mended", rows: missing.length });
  };

  /** From now on inserts go unanswered, until what this gives is called. */
  holdInserts(): () => void {
    const gate = Promise.withResolvers<InsertResult>();
    this.answer = () => gate.promise;
    return () => gate.resolve({ kind: "inserted" });
  }

  /** The first insert from now on fails, the next ones are taken. */
  failOnce(): void {
    let failures = 0;
    this.answer = () =>
      failures++ === 0 ? unavailable("ECONNRESET") : { kind: "inserted" };
  }
}

/** The table is away, or, with `needsOperator`, somebody has to mend it. */
export function unavailable(detail: string, needsOperator = false) {
  return { kind: "unavailable", detail, needsOperator } as const;
}

/** The token of the records from `first` to `last` of partition 0, as `FakeConsumer` dates them. */
export function tokenOf(first: number, last: number): string {
  return `attempts-${BATCH_TOPIC}-0-${first}-${last}-${1000 + first}`;
}

/** `r0`, `r1`, …: so many values. */
export function numberedValues(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `r${n}`);
}

export interface BatchRunnerUnderTest {
  readonly runner: BatchRunner;
  readonly consumer: FakeConsumer;
  readonly target: FakeTable;
  /** `reason partition/offset` of each. */
  readonly deadLetters: string[];
  /** The events of its log. */
  readonly lines: string[];
  /** By partition. */
  readonly lags: ReadonlyMap<string, number>;
  /** Schemas that are known: `schema:s1` is a row once `s1` is one of them. */
  readonly schemas: Set<string>;
  /** True once partition 0 is committed to this offset; without an intent if that is asked. */
  isCommitted(offset: number, how?: "without an intent"): boolean;
  /** The details of the checks of readiness that fail. */
  complaints(): string[];
}

export interface BatchRunnerGiven {
  readonly consumer?: FakeConsumer;
  readonly limits?: Partial<BatchRunnerLimits>;
  readonly stage?: RecordStage<string, string>;
}

/** A consumer that fetches four records at a time, before its runner is made: for what the group or the log holds already. */
export function batchConsumer(): FakeConsumer {
  return new FakeConsumer({
    topic: BATCH_TOPIC,
    clock: systemClock,
    isSelfMoving: true,
    fetchRecords: 4,
  });
}

/** Makes and starts the runners of a test file, and stops them. */
export function useBatchRunner(): (
  given?: BatchRunnerGiven,
) => Promise<BatchRunnerUnderTest> {
  const running: BatchRunner[] = [];
  // Not by import: outside of jest `@jest/globals` throws, and the CLI imports this package for its receiver.
  const { afterEach } = globalThis as unknown as typeof import("@jest/globals");
  afterEach(async () => {
    for (const runner of running.splice(0))
      await runner.stop(Date.now() + 2_000);
  });
  return async (given = {}) => {
    const under = create(given);
    running.push(under.runner);
    await under.runner.start();
    return under;
  };
}

function create({
  consumer = batchConsumer(),
  limits,
  stage = { rowOf: ({ value }) => value },
}: BatchRunnerGiven): BatchRunnerUnderTest {
  const target = new FakeTable();
  const deadLetters: string[] = [];
  const lags = new Map<string, number>();
  const schemas = new Set<string>();
  const lines: string[] = [];
  const line = (event: string): void => void lines.push(event);
  const instrument = {
    inc: () => undefined,
    set: () => undefined,
    observe: () => undefined,
  };
  const runner = createBatchRunner<string, string>({
    name: "record.attempts",
    topic: BATCH_TOPIC,
    groupId: "g",
    stage,
    decode: ({ value }): Decoded<string> => {
      const text = value!.toString();
      const schema = /^schema:(\w+)/.exec(text)?.[1];
      if (schema !== undefined && !schemas.has(schema))
        return { kind: "unknown_schema", schema };
      if (text.startsWith("garbage"))
        return { kind: "unreadable", reason: "unreadable", detail: "no" };
      return { kind: "decoded", value: text };
    },
    target,
    kafka: { consumer: () => consumer },
    output: {
      send: (records) => {
        for (const { value } of records)
          deadLetters.push((value as Buffer).toString());
        return Promise.resolve();
      },
    },
    deadLetterOf: (raw, { reason }, at): OutRecord => ({
      topic: "dead-letters",
      key: null,
      value: Buffer.from(
        `${reason} ${raw.partition}/${raw.offset}${at > 0 ? "" : " without a time"}`,
      ),
    }),
    log: { debug: line, info: line, warn: line, error: line },
    meter: {
      counter: () => instrument,
      gauge: () => ({
        set: (value, labels) =>
          void lags.set(labels?.["partition"] ?? "", value),
      }),
      histogram: () => instrument,
    },
    clock: systemClock,
    random: () => 0,
    limits: { lingerMs: 1, unknownSchemaWaitMs: 60_000, ...limits },
  });
  return {
    runner,
    consumer,
    target,
    deadLetters,
    lines,
    lags,
    schemas,
    isCommitted: (offset, how) => {
      const stored = consumer.stored.get(0);
      return (
        stored?.offset === offset &&
        (how === undefined || stored.metadata === "")
      );
    },
    complaints: () =>
      runner
        .health()
        .ready.filter(({ isOk }) => !isOk)
        .map(({ detail }) => detail),
  };
}
