/** `postrider doctor roll-ups` as a process, with a real ClickHouse and a real Kafka, in which a recorder's group has stored what it stores. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execute, rowsOf, useStack, waitFor } from "@postrider/testkit";
import kafkajs from "kafkajs";
import { migrate } from "../processes/migrate.ts";

const bin = fileURLToPath(new URL("../../bin/postrider.js", import.meta.url));
const stack = useStack();
const cwd = mkdtempSync(join(tmpdir(), "postrider-roll-ups-"));
const DAY_MS = 86_400_000;
const dayOf = (daysAgo: number): string =>
  new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);
const day = dayOf(4);
const topic = `${stack.prefix}attempts`;

beforeAll(async () => {
  await stack.createTopics("attempts");
  await migrate({ url: stack.clickhouseUrl, database: stack.database });
  const producer = await stack.kafka().createProducer();
  await producer.sendBatch(
    [0, 0, 1].map((partition) => ({
      topic,
      partition,
      key: null,
      value: Buffer.from("an attempt"),
    })),
  );
  await producer.disconnect();
  for (const each of [day, dayOf(5)])
    await execute(
      stack.clickhouseUrl,
      `INSERT INTO ${stack.database}.attempts (tenant_id, endpoint_id, delivery_id, attempt_number, started_at, outcome, status, duration_ms)
       SELECT 'acme', concat('ep_', toString(number % 3)), toString(number), 1, toDateTime64('${each} 09:00:00', 3, 'UTC') + number, 'delivered', 'delivered', number FROM numbers(90)`,
    );
  await execute(
    stack.clickhouseUrl,
    `ALTER TABLE ${stack.database}.endpoint_hour DELETE WHERE toDate(bucket) = '${day}' AND endpoint_id = 'ep_1' SETTINGS mutations_sync = 2`,
  );
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function hoursOf(): Promise<number> {
  const [row] = await rowsOf<{ n: number }>(
    stack.clickhouseUrl,
    `SELECT toUInt32(sum(attempts)) AS n FROM ${stack.database}.endpoint_hour WHERE toDate(bucket) = '${day}'`,
  );
  return row!.n; // an aggregation has one row
}

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly output: () => { readonly out: string; readonly err: string };
  readonly exited: Promise<number | null>;
}

function start(...args: readonly string[]): Running {
  const child = spawn(bin, ["doctor", "roll-ups", ...args], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      KAFKA_BROKERS: stack.brokers.join(),
      CLICKHOUSE_URL: stack.clickhouseUrl,
      POSTRIDER_TOPIC_PREFIX: stack.prefix,
      POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  const exited = new Promise<number | null>((resolve) =>
    child.once("close", resolve),
  );
  return { child, output: () => ({ out, err }), exited };
}

async function run(
  ...args: readonly string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const { exited, output } = start(...args);
  const code = await exited;
  return { code, ...output() };
}

/** Commits as a recorder does; its metadata announces an insert, or nothing. */
async function commit(
  offsets: readonly { partition: number; offset: string; metadata: string }[],
): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers: [...stack.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({
    groupId: `${stack.prefix}recorder.attempts`,
  });
  const joined = new Promise<void>((resolve) =>
    consumer.on(consumer.events.GROUP_JOIN, () => resolve()),
  );
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ autoCommit: false, eachMessage: async () => undefined });
  await joined;
  await consumer.commitOffsets(offsets.map((each) => ({ topic, ...each })));
  await consumer.disconnect();
}

test("says which day of which roll-up is short, changes nothing, and names the command that repairs it", async () => {
  const { code, out, err } = await run();

  expect(code).toBe(1);
  expect(out).toContain(
    `${day}  endpoint_hour  short by 30 attempts in 1 bucket (attempts has 90)`,
  );
  expect(out).toContain(`${day}  tenant_minute  equal: 90 attempts`);
  expect(out).toContain(`${dayOf(5)}  endpoint_hour  equal: 90 attempts`);
  expect(err).toContain("npx postrider doctor roll-ups --repair");
  expect(await hoursOf()).toBe(60);
});

test("a day that is not over, and options that do not fit, are told", async () => {
  const today = await run("--day", dayOf(0), "--repair");
  const force = await run("--force", "--repair");
  const noDay = await run("--day", "yesterday");

  expect(today.code).toBe(5);
  expect(today.out).toContain("is not over");
  expect(force).toMatchObject({
    code: 2,
    err: expect.stringContaining("--day"),
  });
  expect(noDay).toMatchObject({
    code: 2,
    err: expect.stringContaining("It must be a day"),
  });
});

test("repairs only once the recorder has no insert open, and is content afterwards", async () => {
  const done = { partition: 1, offset: "1", metadata: "" };
  const announced = JSON.stringify({
    intent: 1,
    first: 1,
    last: 1,
    firstTimestamp: Date.now(),
    intendedAt: Date.now(),
    excluded: [],
  });
  await commit([{ partition: 0, offset: "1", metadata: announced }, done]);

  const repairing = start("--repair");
  await waitFor(() => repairing.output().out.includes("short by 30"));
  // It waits by now: the insert is open, and one record is left.
  await commit([{ partition: 0, offset: "2", metadata: announced }, done]);
  // As long as two whole runs take: a repair that does not wait would be done.
  for (let n = 0; n < 2; n += 1)
    expect((await run("--day", day)).out).toContain("short by 30");
  expect(repairing.child.exitCode).toBe(null);
  expect(await hoursOf()).toBe(60);
  await commit([{ partition: 0, offset: "2", metadata: "" }, done]);

  expect(await repairing.exited).toBe(0);
  expect(repairing.output().out).toContain(
    `${day}  endpoint_hour  repaired: was short by 30 attempts in 1 bucket (attempts has 90), is equal: 90 attempts`,
  );
  expect(await hoursOf()).toBe(90);
  const again = await run("--json");
  expect(again.code).toBe(0);
  expect(JSON.parse(again.out)).toMatchObject({ ok: true, repairs: [] });
}, 120_000);
