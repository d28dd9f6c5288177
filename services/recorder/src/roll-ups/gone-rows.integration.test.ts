/** Days of which something is gone, by a TTL or by hand: never taken for a roll-up that counts too much, and never made less. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  test,
} from "@jest/globals";
import {
  attemptsOf,
  daysAgo,
  HOURS,
  MINUTES,
  startRollUpServer,
  type RollUpServer,
  type RollUpTables,
} from "../../fixtures/roll-up-tables.ts";
import { ROLL_UPS, type Day } from "./roll-up.ts";

// Each test changes the tables, so each has its own.
const databases = Array.from({ length: 12 }, (_, n) => `postrider_gone_${n}`);
let server: RollUpServer;
let tables: RollUpTables;
let made = 0;
beforeAll(async () => {
  server = await startRollUpServer(databases);
}, 120_000);
beforeEach(async () => {
  tables = await server.tablesIn(databases[made++]!); // there are more databases than tests
}, 120_000);
afterEach(() => tables.stop());
afterAll(() => server.stop());

/** Both roll-ups refuse the day for this reason, also by force, and count what they counted. */
async function expectLeftAlone(day: Day, why: RegExp): Promise<void> {
  for (const rollUp of ROLL_UPS) {
    const before = await tables.bucketsOf(rollUp, day);
    expect(await tables.verdictOf(rollUp, day)).toEqual({
      kind: "notJudged",
      why: expect.stringMatching(why),
    });
    for (const isForced of [false, true])
      expect(await tables.repair(rollUp, day, { isForced })).toEqual({
        kind: "refused",
        why: expect.stringMatching(why),
      });
    expect(await tables.bucketsOf(rollUp, day)).toEqual(before);
  }
}

test("a day that attempts has begun to drop is left alone", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  await tables.admin.command(
    "ALTER TABLE attempts MODIFY SETTING ttl_only_drop_parts = 0",
  );
  // Some hours of the day are gone, others are not yet.
  await tables.admin.command(
    `ALTER TABLE attempts MODIFY TTL if(endpoint_id = 'ep_1', toDateTime(started_at) + INTERVAL 1 DAY, toDateTime(started_at) + INTERVAL 30 DAY)`,
  );
  await tables.admin.command("OPTIMIZE TABLE attempts FINAL");
  expect(await tables.expectedOf(HOURS, day)).not.toEqual(
    await tables.bucketsOf(HOURS, day),
  );
  await expectLeftAlone(day, /not by its time alone/);

  await tables.admin.command(
    "ALTER TABLE attempts MODIFY TTL toDateTime(started_at) + INTERVAL 6 DAY",
  );
  await expectLeftAlone(day, /attempts drops rows of this day/);
});

test("a day that the roll-up itself drops is not brought back", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  for (const { table } of ROLL_UPS) {
    await tables.admin.command(
      `ALTER TABLE ${table} MODIFY SETTING ttl_only_drop_parts = 0`,
    );
    await tables.admin.command(
      `ALTER TABLE ${table} MODIFY TTL bucket + INTERVAL 5 DAY`,
    );
    await tables.admin.command(`OPTIMIZE TABLE ${table} FINAL`);
  }
  expect(await tables.bucketsOf(HOURS, day)).toEqual([]);

  await expectLeftAlone(day, /drops rows of this day/);
});

test("a day is left alone of which a TTL drops a later hour than the first", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  for (const { table } of ROLL_UPS) {
    await tables.admin.command(
      `ALTER TABLE ${table} MODIFY SETTING ttl_only_drop_parts = 0`,
    );
    await tables.admin.command(
      `ALTER TABLE ${table} MODIFY TTL if(toHour(bucket) = 1, bucket + INTERVAL 2 DAY, bucket + INTERVAL 400 DAY)`,
    );
    await tables.admin.command(`OPTIMIZE TABLE ${table} FINAL`);
  }
  expect(await tables.bucketsOf(HOURS, day)).not.toEqual(
    await tables.expectedOf(HOURS, day),
  );

  await expectLeftAlone(day, /drops rows of this day/);
});

test.each([
  ["attempts", "request_bytes", "Int32", "started_at"],
  ["attempts", "status", "LowCardinality(String)", "started_at"],
] as const)(
  "a day is left alone whose column %s.%s is emptied after a time of its own",
  async (table, column, type, time) => {
    const day = daysAgo(6);
    await tables.record(attemptsOf(day, 200));
    await tables.admin.command(
      `ALTER TABLE ${table} MODIFY COLUMN ${column} ${type} TTL toDateTime(${time}) + INTERVAL 3 DAY`,
    );
    await tables.admin.command(`OPTIMIZE TABLE ${table} FINAL`);

    await expectLeftAlone(day, /empties its column/);
  },
);

test("a column that the roll-ups do not count may have a TTL", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  await tables.admin.command(
    "ALTER TABLE attempts MODIFY COLUMN error String TTL toDateTime(started_at) + INTERVAL 3 DAY",
  );

  expect(await tables.verdictOf(HOURS, day)).toMatchObject({ kind: "equal" });
});

test("a roll-up whose own column is emptied is not filled again", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  for (const { table } of ROLL_UPS) {
    await tables.admin.command(
      `ALTER TABLE ${table} MODIFY COLUMN delivered SimpleAggregateFunction(sum, UInt64) TTL bucket + INTERVAL 3 DAY`,
    );
    await tables.admin.command(`OPTIMIZE TABLE ${table} FINAL`);
  }

  await expectLeftAlone(day, /empties its column delivered/);
});

test("attempts that were deleted by hand make a roll-up over, which only --force lowers; what is short beside it is repaired", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  const whole = await tables.bucketsOf(HOURS, day);
  await tables.admin.command(
    "ALTER TABLE attempts DELETE WHERE endpoint_id = 'ep_1' AND attempt_number % 2 = 1 SETTINGS mutations_sync = 2",
  );
  await tables.admin.command(
    "ALTER TABLE endpoint_hour DELETE WHERE endpoint_id = 'ep_2' SETTINGS mutations_sync = 2",
  );

  expect(await tables.verdictOf(HOURS, day)).toMatchObject({
    kind: "differs",
    short: { by: { attempts: 30 } },
    over: { by: { attempts: 20 } },
  });
  expect(await tables.repair(HOURS, day)).toMatchObject({
    kind: "repaired",
    after: {
      kind: "differs",
      short: { buckets: 0 },
      over: { by: { attempts: 20 } },
    },
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(whole);
  expect(await tables.repair(HOURS, day)).toMatchObject({
    kind: "nothingToDo",
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(whole);

  expect(await tables.repair(HOURS, day, { isForced: true })).toMatchObject({
    kind: "repaired",
    after: { kind: "equal", attempts: 130 },
  });
  const counted = async (): Promise<unknown> =>
    await tables.admin.query(
      `SELECT toString(sum(attempts)) AS n, toString(sum(request_bytes)) AS bytes FROM endpoint_hours WHERE toDate(bucket) = '${day}'`,
    );
  const [raw] = await tables.admin.query(
    "SELECT toString(count()) AS n, toString(sum(request_bytes)) AS bytes FROM attempts FINAL WHERE attempt_number > 0",
  );
  expect(await counted()).toEqual([raw]);
  // The rows that subtract are gone once they are merged with the others.
  await tables.admin.command("OPTIMIZE TABLE endpoint_hour FINAL");
  expect(await counted()).toEqual([raw]);
  const [largest] = await tables.admin.query<{ n: string }>(
    "SELECT toString(max(attempts)) AS n FROM endpoint_hour",
  );
  expect(Number(largest!.n)).toBeLessThan(200);
});

test("a day without a row in attempts is not taken for over", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  await tables.admin.command("TRUNCATE TABLE attempts");

  await expectLeftAlone(day, /no rows of this day/);
});

test("an attempt that is recorded twice counts twice in the roll-ups, and --force lowers them to once", async () => {
  const day = daysAgo(6);
  await tables.record(attemptsOf(day, 200));
  await tables.record(attemptsOf(day, 8));

  expect(await tables.verdictOf(MINUTES, day)).toMatchObject({
    kind: "differs",
    attempts: 150,
    short: { buckets: 0 },
    over: { by: { attempts: 6 } },
  });
  expect(await tables.repair(MINUTES, day)).toMatchObject({
    kind: "nothingToDo",
  });
  expect(await tables.repair(MINUTES, day, { isForced: true })).toMatchObject({
    kind: "repaired",
    after: { kind: "equal" },
  });
});
