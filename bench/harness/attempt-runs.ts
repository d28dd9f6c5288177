/** Reads the same records of `attempts` into a database of its own, by the recorder or by the bare loop, on a core of its own. */
import { migrate } from "@postrider/cli";
import type { Stack } from "@postrider/local-stack";
import { topicName } from "@postrider/messaging";
import { execute } from "@postrider/testkit";
import { Kafka, logLevel } from "kafkajs";
import { checkedAttemptRows } from "./attempts-load.ts";
import { checkLag } from "./checks.ts";
import type { BenchContext } from "./context.ts";
import { measureRows, type Ingested } from "./measure-rows.ts";
import {
  programOf,
  startPinned,
  SUBJECT_CORE,
  type Pinned,
} from "./processes.ts";
import type { Topics } from "./stack.ts";
import { explained, recorderEnv, startPinnedService } from "./subject.ts";

/** Rows of one insert: the recorder's default, and the bare loop's. */
const BATCH = 20_000;

export interface AttemptRuns {
  readonly stack: Stack;
  readonly topics: Topics;
  /** How many records the topic has. */
  readonly count: number;
}

export interface Ran extends Ingested {
  /** Of the rows that it wrote. */
  readonly hash: string;
}

export async function recorderRun(
  context: BenchContext,
  runs: AttemptRuns,
  nth: number,
): Promise<Ran> {
  const { stack, topics } = runs;
  return await inDatabase(runs, `recorded_${nth}`, async (database) => {
    const recorder = await startPinnedService(context, {
      name: "recorder",
      cores: SUBJECT_CORE,
      stack,
      topics,
      env: recorderEnv(stack, database),
    });
    const given = { database, pid: recorder.pid, count: runs.count };
    const ingested = await explained(context, recorder, () =>
      measureRows(stack, given),
    );
    await checkLag(topics, "recorder.attempts", "attempts");
    await recorder.stop();
    // The next run is to begin at the start of the log.
    await forget(stack, `${topics.prefix}recorder.attempts`);
    return ingested;
  });
}

export async function bareRun(runs: AttemptRuns, nth: number): Promise<Ran> {
  const { stack, topics, count } = runs;
  return await inDatabase(runs, `bare_${nth}`, async (database) => {
    const topic = topicName(topics.prefix, "attempts");
    const loop: Pinned = startPinned({
      name: "insert-attempts",
      cores: SUBJECT_CORE,
      // kafkajs without our patches.
      nodeArgs: ["--disable-warning=TimeoutNegativeWarning"],
      main: programOf("baselines/insert-attempts.ts"),
      args: [
        stack.kafka.brokers[0]!,
        topic,
        `${topic}.bare_${nth}`,
        stack.clickhouse.url,
        database,
        String(count),
        String(BATCH),
      ],
    });
    const ingested = await measureRows(stack, {
      database,
      pid: loop.pid,
      count,
    });
    await loop.stop();
    return ingested;
  });
}

/** Makes the product's tables in a database of the run, and drops them once the rows were checked. */
async function inDatabase(
  { stack, count }: AttemptRuns,
  name: string,
  run: (database: string) => Promise<Ingested>,
): Promise<Ran> {
  const database = `postrider_bench_${name}`;
  await migrate({ url: stack.clickhouse.url, database });
  const ingested = await run(database);
  const hash = await checkedAttemptRows(stack, database, count);
  await execute(stack.clickhouse.url, `DROP DATABASE ${database} SYNC`);
  return { ...ingested, hash };
}

async function forget({ kafka }: Stack, groupId: string): Promise<void> {
  const brokers = [...kafka.brokers];
  const admin = new Kafka({ brokers, logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  try {
    await admin.deleteGroups([groupId]);
  } finally {
    await admin.disconnect();
  }
}
