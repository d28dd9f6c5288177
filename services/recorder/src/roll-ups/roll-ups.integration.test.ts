/** Roll-ups that lack something, in a real ClickHouse: found, and repaired, by a user with exactly the grants of a repair. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  attemptsOf,
  DATABASE,
  daysAgo,
  HOURS,
  MINUTES,
  startRollUpTables,
  type RollUpTables,
} from "../../fixtures/roll-up-tables.ts";
import { daysOf, type RollUpSql } from "./compare-days.ts";
import { ROLL_UPS, startOf, type Day, type RollUp } from "./roll-up.ts";

let tables: RollUpTables;
beforeAll(async () => {
  tables = await startRollUpTables();
}, 120_000);
afterAll(() => tables.stop());

/** Attempts of 200 that are no deferrals. */
const MADE = 150;

/** Removes rows of the roll-up, as a lost part would. */
async function lose(rollUp: RollUp, day: Day, where = "1"): Promise<void> {
  await tables.admin.command(
    `ALTER TABLE ${rollUp.table} DELETE WHERE toDate(bucket) = '${day}' AND ${where} SETTINGS mutations_sync = 2`,
  );
}

test("every roll-up that a view feeds from attempts is known, with each of its columns", async () => {
  const views = await tables.admin.query<{ name: string }>(
    `SELECT t.name AS name FROM system.tables AS t
     WHERE t.database = '${DATABASE}' AND t.engine = 'AggregatingMergeTree' AND t.name NOT LIKE '%_repair_%' ORDER BY name`,
  );
  const columns = await tables.admin.query<{ name: string; list: string[] }>(
    `SELECT table AS name, groupArray(c.name) AS list FROM (SELECT table, name FROM system.columns WHERE database = '${DATABASE}' AND table IN ('endpoint_hour', 'tenant_minute') ORDER BY position) AS c GROUP BY table ORDER BY name`,
  );

  expect(views.map(({ name }) => name)).toEqual(
    ROLL_UPS.map(({ table }) => table),
  );
  expect(columns).toEqual(
    ROLL_UPS.map(({ table, owner, counts, hasLongest }) => ({
      name: table,
      list: [
        ...owner,
        "bucket",
        ...counts.map(([column]) => column),
        ...(hasLongest ? ["max_duration_ms"] : []),
        "duration_ms",
      ],
    })),
  );
});

test("what the views counted is equal, also for an attempt that was recorded twice once it is merged", async () => {
  const day = daysAgo(3);
  await tables.record(attemptsOf(day, 200));
  await tables.record(attemptsOf(daysAgo(4), 50));

  for (const rollUp of ROLL_UPS) {
    expect(await tables.verdictOf(rollUp, day)).toEqual({
      kind: "equal",
      attempts: MADE,
    });
    expect(await tables.bucketsOf(rollUp, day)).toEqual(
      await tables.expectedOf(rollUp, day),
    );
  }
  expect(await daysOf(tables.repairer, DATABASE)).toEqual(
    expect.arrayContaining([daysAgo(4), day]),
  );
});

test("a roll-up that lacks an endpoint and part of another is short by exactly these, and is equal after its repair", async () => {
  const day = daysAgo(5);
  await tables.record(attemptsOf(day, 200));
  const others = await tables.bucketsOf(HOURS, daysAgo(3));
  const minutes = await tables.bucketsOf(MINUTES, day);
  await lose(HOURS, day, "endpoint_id = 'ep_1'");
  // A part of what ep_2 has: counted without its views' help, then half of it comes with them.
  await tables.admin.command(`DETACH TABLE endpoint_hour_from_attempts`);
  await tables.record(
    attemptsOf(day, 40, (n) => ({
      deliveryId: `more-${n}`,
      endpointId: "ep_2",
    })),
  );
  await tables.admin.command(`ATTACH TABLE endpoint_hour_from_attempts`);

  const found = await tables.verdictOf(HOURS, day);

  expect(found).toMatchObject({
    kind: "differs",
    attempts: MADE + 30,
    counted: MADE - 30,
    short: { by: { attempts: 60 } },
    over: { buckets: 0 },
  });
  expect(await tables.repair(HOURS, day)).toMatchObject({
    kind: "repaired",
    before: found,
    after: { kind: "equal", attempts: MADE + 30 },
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(
    await tables.expectedOf(HOURS, day),
  );
  expect(await tables.verdictOf(HOURS, day)).toMatchObject({ kind: "equal" });
  expect(await tables.repair(HOURS, day)).toMatchObject({
    kind: "nothingToDo",
  });
  // Nothing else was touched: not another day, not the other roll-up.
  expect(await tables.bucketsOf(HOURS, daysAgo(3))).toEqual(others);
  expect((await tables.bucketsOf(MINUTES, day)).length).toBeGreaterThanOrEqual(
    minutes.length,
  );
  expect(await tables.verdictOf(MINUTES, day)).toMatchObject({ kind: "equal" });
  expect(await tables.stagingTables()).toEqual([]);
});

test("the percentiles of a bucket that was gone are those of its attempts, and so are those of one that lacked a part", async () => {
  const day = daysAgo(6);
  const oneHour = (n: number) => ({
    startedAt: startOf(day) + n,
    endpointId: "ep_p",
    durationMs: (n % 100) * 10,
  });
  await tables.record(attemptsOf(day, 4_000, oneHour));
  const percentiles = async (): Promise<number[]> => {
    const [row] = await tables.admin.query<{ ms: number[] }>(
      `SELECT quantilesTDigestMerge(0.5, 0.95, 0.99)(duration_ms) AS ms FROM endpoint_hour WHERE toDate(bucket) = '${day}'`,
    );
    return row!.ms;
  };
  const before = await percentiles();

  await lose(HOURS, day);
  await tables.repair(HOURS, day);

  const gone = await percentiles();
  gone.forEach((ms, at) => expect(Math.abs(ms - before[at]!)).toBeLessThan(10));

  // The part that is lost is slower than all others by far.
  await tables.admin.command(`DETACH TABLE endpoint_hour_from_attempts`);
  await tables.record(
    attemptsOf(day, 200, (n) => ({
      ...oneHour(n),
      deliveryId: `slow-${n}`,
      durationMs: 5_000,
    })),
  );
  await tables.admin.command(`ATTACH TABLE endpoint_hour_from_attempts`);
  await tables.repair(HOURS, day);

  const [row] = await tables.admin.query<{ ms: number[] }>(
    `SELECT quantilesTDigest(0.5, 0.95, 0.99)(duration_ms) AS ms FROM attempts FINAL WHERE toDate(started_at) = '${day}' AND attempt_number > 0`,
  );
  const [median, p95, p99] = await percentiles();
  expect(Math.abs(median! - row!.ms[0]!)).toBeLessThan(20);
  expect(Math.abs(p95! - row!.ms[1]!)).toBeLessThan(50);
  expect(p99).toBe(5_000);
  expect(row!.ms[2]).toBe(5_000);
  expect(await tables.verdictOf(HOURS, day)).toMatchObject({ kind: "equal" });
});

test("what a kill of ClickHouse took from a roll-up for good is put back, and the insert's repeat adds nothing", async () => {
  const day = daysAgo(7);
  await tables.record(attemptsOf(day, 60, (n) => ({ deliveryId: `a-${n}` })));
  await tables.admin.command("OPTIMIZE TABLE endpoint_hour FINAL");
  const repeat = await tables.record(
    attemptsOf(day, 200, (n) => ({ deliveryId: `b-${n}`, tenantId: "killed" })),
  );
  const server = tables.stack.clickhouse.server!; // a local stack always has its own server process
  const parts = await tables.admin.query<{ path: string; id: string }>(
    `SELECT path, partition_id AS id FROM system.parts WHERE database = '${DATABASE}' AND table = 'endpoint_hour' AND active AND name IN (SELECT _part FROM endpoint_hour WHERE tenant_id = 'killed')`,
  );
  expect(parts).toHaveLength(1);
  await server.kill9();
  for (const { path, id } of parts) {
    const log = join(path, "..", "deduplication_logs");
    const entries = readdirSync(log).map((name) =>
      readFileSync(join(log, name), "utf8"),
    );
    expect(entries.join("")).toContain(id);
    rmSync(path, { recursive: true });
  }
  await server.restart();

  await repeat(); // dropped: the entry of the lost part is there
  expect(await tables.verdictOf(HOURS, day)).toMatchObject({
    kind: "differs",
    short: { by: { attempts: MADE } },
  });
  expect(await tables.repair(HOURS, day)).toMatchObject({ kind: "repaired" });
  await repeat();

  expect(await tables.verdictOf(HOURS, day)).toEqual({
    kind: "equal",
    attempts: MADE + 45,
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(
    await tables.expectedOf(HOURS, day),
  );
});

test("while a day is repaired the recorder goes on, and nothing that it records meanwhile is lost or counted twice", async () => {
  const day = daysAgo(8);
  const today = daysAgo(0);
  await tables.record(attemptsOf(day, 200));
  await lose(MINUTES, day);
  let recorded = 0;
  let isDone = false;
  const recording = (async () => {
    while (!isDone) {
      const n = (recorded += 1);
      await tables.record([
        ...attemptsOf(today, 4, (at) => ({ deliveryId: `now-${n}-${at}` })),
      ]);
    }
  })();

  const repair = await tables.repair(MINUTES, day);
  isDone = true;
  await recording;

  expect(repair).toMatchObject({ kind: "repaired", after: { kind: "equal" } });
  expect(recorded).toBeGreaterThan(1);
  expect(await tables.bucketsOf(MINUTES, today)).toEqual(
    await tables.expectedOf(MINUTES, today),
  );
  expect(await tables.bucketsOf(MINUTES, day)).toEqual(
    await tables.expectedOf(MINUTES, day),
  );
});

test("an attempt of the day that is recorded during the repair makes it refuse, and the next run repairs it", async () => {
  const day = daysAgo(9);
  await tables.record(attemptsOf(day, 200));
  await lose(HOURS, day, "endpoint_id = 'ep_3'");
  const before = await tables.bucketsOf(HOURS, day);
  const late = { deliveryId: "late", endpointId: "ep_late", attemptNumber: 1 };
  const sql: RollUpSql = {
    query: tables.repairer.query,
    async command(statement, queryId) {
      await tables.repairer.command(statement, queryId);
      if (statement.startsWith("OPTIMIZE"))
        await tables.record(attemptsOf(day, 1, () => late));
    },
  };

  const refused = await tables.repair(HOURS, day, { sql });

  expect(refused).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("came or went"),
  });
  const after = await tables.bucketsOf(HOURS, day);
  expect(after.filter((text) => !text.includes("ep_late"))).toEqual(before);
  expect(await tables.stagingTables()).toEqual([]);
  expect(await tables.repair(HOURS, day)).toMatchObject({
    kind: "repaired",
    after: { kind: "equal", attempts: MADE + 1 },
  });
});

test("today is refused with a sentence", async () => {
  const today = daysAgo(0);

  const why = expect.stringContaining(`${today} is not over`);
  expect(await tables.verdictOf(HOURS, today)).toEqual({
    kind: "notJudged",
    why,
  });
  expect(await tables.repair(HOURS, today)).toEqual({ kind: "refused", why });
});
