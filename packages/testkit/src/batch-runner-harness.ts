/**
 * For unit tests: a batch runner over a fake consumer, which fetches by itself, and a table in memory. Both can be made to
 * fail. Call `useBatchRunner()` at the top of a test file; it stops the runners that a test has left running.
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

/** A table that stores the rows of each token once. `answer` can make inserts fail; with `forgets` it remembers tokens but loses their rows. */
export class FakeTable {
  readonly table = "attempts";
  readonly rows: string[] = [];
  /** The token of each insert, including those that failed. */
  readonly tokens: string[] = [];
  /** The token of each range that was mended. */
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

  /** From now on inserts are not answered, until the returned function is called. */
  holdInserts(): () => void {
    const gate = Promise.withResolvers<InsertResult>();
    this.answer = () => gate.promise;
    return () => gate.resolve({ kind: "inserted" });
  }

  /** The next insert fails; those after it succeed. */
  failOnce(): void {
    let failures = 0;
    this.answer = () =>
      failures++ === 0 ? unavailable("ECONNRESET") : { kind: "inserted" };
  }
}

/** The answer of a table that cannot be reached or, with `needsOperator`, of one that an operator must mend. */
export function unavailable(detail: string, needsOperator = false) {
  return { kind: "unavailable", detail, needsOperator } as const;
}

/** The token of the records `first` to `last` of partition 0, with the timestamps that `FakeConsumer` gives them. */
export function tokenOf(first: number, last: number): string {
  return `attempts-${BATCH_TOPIC}-0-${first}-${last}-${1000 + first}`;
}

/** `count` values: `r0`, `r1`, … */
export function numberedValues(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `r${n}`);
}

export interface BatchRunnerUnderTest {
  readonly runner: BatchRunner;
  readonly consumer: FakeConsumer;
  readonly target: FakeTable;
  /** `reason partition/offset` of each dead letter. */
  readonly deadLetters: string[];
  /** The event name of each line that was logged. */
  readonly lines: string[];
  /** The lag of each partition. */
  readonly lags: ReadonlyMap<string, number>;
  /** The known schemas: a record `schema:s1` becomes a row once `s1` is in this set. */
  readonly schemas: Set<string>;
  /** True once partition 0 is committed up to this offset; with "without an intent", only if that commit has none. */
  isCommitted(offset: number, how?: "without an intent"): boolean;
  /** The details of the readiness checks that fail. */
  complaints(): string[];
}

export interface BatchRunnerGiven {
  readonly consumer?: FakeConsumer;
  readonly limits?: Partial<BatchRunnerLimits>;
  readonly stage?: RecordStage<string, string>;
}

/** A consumer that fetches four records at a time. For tests that fill the group or the log before the runner is made. */
export function batchConsumer(): FakeConsumer {
  return new FakeConsumer({
    topic: BATCH_TOPIC,
    clock: systemClock,
    isSelfMoving: true,
    fetchRecords: 4,
  });
}

/** Returns a function that makes and starts the runners of a test file; stops them after each test. */
export function useBatchRunner(): (
  given?: BatchRunnerGiven,
) => Promise<BatchRunnerUnderTest> {
  const running: BatchRunner[] = [];
  // Not imported: outside of jest `@jest/globals` throws, and the CLI imports this package for its receiver.
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
