/** A repair that ends early, is cut off from its answers, or meets another one: the day is the old one or the new one. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  attemptsOf,
  DATABASE,
  daysAgo,
  HOURS,
  startRollUpTables,
  type RollUpTables,
} from "../../fixtures/roll-up-tables.ts";
import { createWriter } from "../clickhouse/writer.ts";
import type { RollUpSql } from "./compare-days.ts";
import { startOf, type Day } from "./roll-up.ts";

let tables: RollUpTables;
beforeAll(async () => {
  tables = await startRollUpTables();
}, 120_000);
afterAll(() => tables.stop());

async function aShortDay(day: Day, count = 200): Promise<void> {
  const { admin } = tables;
  await tables.record(attemptsOf(day, count));
  await admin.command(
    `ALTER TABLE endpoint_hour DELETE WHERE toDate(bucket) = '${day}' AND endpoint_id IN ('ep_1', 'ep_2') SETTINGS mutations_sync = 2`,
  );
}

/** Counts statements that change something, and dies at one of them: before it is sent, or before its answer is used. From then on nothing is sent. */
function dyingAt(
  step: number,
  when: "before" | "after",
): RollUpSql & { readonly steps: () => number } {
  const { command, query } = tables.repairer;
  let steps = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw Object.assign(new Error("killed"), { code: "KILLED" });
  };
  return {
    steps: () => steps,
    async command(statement, queryId) {
      if (isDead) die();
      const isHere = (steps += 1) === step;
      if (isHere && when === "before") die();
      await command(statement, queryId);
      if (isHere) die();
    },
    query: async (...given) => (isDead ? die() : await query(...given)),
  };
}

test("killed before or after any of its statements, a repair leaves the old day or the new one, and the next run ends it", async () => {
  const day = daysAgo(3);
  await aShortDay(day);
  const old = await tables.bucketsOf(HOURS, day);
  const whole = await tables.expectedOf(HOURS, day);
  expect(old).not.toEqual(whole);
  const seen = { old: 0, whole: 0, leftOver: 0 };
  let steps = Infinity;

  for (let step = 1; step <= steps; step += 1)
    for (const when of ["before", "after"] as const) {
      const dying = dyingAt(step, when);
      const ended = await tables
        .repair(HOURS, day, { sql: dying })
        .catch(() => "killed");
      expect(ended).toBe("killed");
      const now = await tables.bucketsOf(HOURS, day);
      const isOld = JSON.stringify(now) === JSON.stringify(old);
      if (!isOld) expect(now).toEqual(whole);
      seen[isOld ? "old" : "whole"] += 1;
      const left = await tables.stagingTables();
      seen.leftOver += left.length;

      const counting = dyingAt(Infinity, "after");
      const next = await tables.repair(HOURS, day, { sql: counting });

      expect(next).toMatchObject(
        isOld
          ? { kind: "repaired", after: { kind: "equal" }, dropped: left }
          : { kind: "nothingToDo", before: { kind: "equal" } },
      );
      expect(await tables.bucketsOf(HOURS, day)).toEqual(whole);
      expect(await tables.stagingTables()).toEqual([]);
      // A run without left-overs has as many statements as the first one would have had.
      if (isOld && left.length === 0) steps = counting.steps();
      await tables.admin.command(
        `ALTER TABLE endpoint_hour DELETE WHERE toDate(bucket) = '${day}' AND endpoint_id IN ('ep_1', 'ep_2') SETTINGS mutations_sync = 2`,
      );
    }

  expect(steps).toBe(6); // create, two that fill, merge, move, drop
  expect(seen).toEqual({ old: 9, whole: 3, leftOver: 10 });
}, 120_000);

test("a statement whose answer is lost is waited for in ClickHouse, and the repair goes on", async () => {
  const day = daysAgo(4);
  const { admin, repairer, stack } = tables;
  // Enough that the filling takes longer than its client waits.
  await admin.command(
    `INSERT INTO attempts (tenant_id, endpoint_id, delivery_id, attempt_number, started_at, received_at, outcome, status, duration_ms, request_bytes)
     SELECT 'big', concat('ep_', toString(number % 1000)), toString(number), 1, toDateTime64('${day} 00:00:00', 3, 'UTC') + number % 80000, toDateTime64('${day} 00:00:00', 3, 'UTC'), 'delivered', 'delivered', number % 977, 3 FROM numbers(400000)`,
  );
  await admin.command(
    `ALTER TABLE endpoint_hour DELETE WHERE toDate(bucket) = '${day}' SETTINGS mutations_sync = 2`,
  );
  const impatient = createWriter({
    url: stack.clickhouse.url,
    database: "default",
    requestTimeoutMs: 60,
    auth: () => ({ username: "repair", password: "secret" }),
  });
  const lost: string[] = [];
  const sql: RollUpSql = {
    query: repairer.query,
    async command(statement, queryId) {
      if (!statement.startsWith("INSERT"))
        return await repairer.command(statement, queryId);
      try {
        await impatient.command(statement, queryId);
      } catch (error) {
        lost.push((error as Error).message);
        throw error;
      }
    },
  };

  const repair = await tables.repair(HOURS, day, { sql });
  await impatient.close();

  // Two statements fill. On a fast machine the client may be quick enough for one of them.
  expect(new Set(lost)).toEqual(new Set(["Timeout error."]));
  expect(repair).toMatchObject({
    kind: "repaired",
    after: { kind: "equal", attempts: 400_000 },
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(
    await tables.expectedOf(HOURS, day),
  );
}, 120_000);

test("a MOVE whose answer is lost is not done twice", async () => {
  const day = daysAgo(5);
  await aShortDay(day);
  const { repairer } = tables;
  let moves = 0;
  const sql: RollUpSql = {
    query: repairer.query,
    async command(statement, queryId) {
      await repairer.command(statement, queryId);
      if (!statement.includes("MOVE PARTITION")) return;
      moves += 1;
      throw new Error("Timeout error.");
    },
  };

  const repair = await tables.repair(HOURS, day, { sql });

  expect(moves).toBe(1);
  expect(repair).toMatchObject({ kind: "repaired", after: { kind: "equal" } });
});

test("a MOVE that was never sent is told as not done, and the day stays as it was", async () => {
  const day = daysAgo(6);
  await aShortDay(day);
  const old = await tables.bucketsOf(HOURS, day);
  const { repairer } = tables;
  const sql: RollUpSql = {
    query: repairer.query,
    async command(statement, queryId) {
      if (statement.includes("MOVE PARTITION"))
        throw new Error("socket hang up");
      await repairer.command(statement, queryId);
    },
  };

  const repair = await tables.repair(HOURS, day, { sql });

  expect(repair).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("was not done"),
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(old);
  expect(await tables.stagingTables()).toEqual([]);
});

test("a run that finds another one's statement at work refuses, and once that has ended drops its table", async () => {
  const day = daysAgo(7);
  await aShortDay(day);
  const other = "endpoint_hour_repair_20260101_0000cafe";
  await tables.admin.command(`CREATE TABLE ${other} AS endpoint_hour`);
  const running = tables.repairer.query(
    "SELECT sleepEachRow(0.2) FROM numbers(15) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0",
    {},
    `${other}-2`,
  );
  for (;;) {
    const seen = await tables.admin.query(
      `SELECT 1 FROM system.processes WHERE query_id = '${other}-2'`,
    );
    if (seen.length > 0) break;
  }

  const refused = await tables.repair(HOURS, day);
  const left = await tables.stagingTables();
  await running;
  const repaired = await tables.repair(HOURS, day);

  expect(refused).toMatchObject({
    kind: "refused",
    why: expect.stringContaining(`${other}-2`),
  });
  expect(left).toEqual([other]);
  expect(repaired).toMatchObject({ kind: "repaired", dropped: [other] });
  expect(await tables.stagingTables()).toEqual([]);
});

test("a run that was taken for dead changes nothing any more, and says that another took it over", async () => {
  const day = daysAgo(12);
  await aShortDay(day);
  const old = await tables.bucketsOf(HOURS, day);
  const { repairer } = tables;
  const sql: RollUpSql = {
    query: repairer.query,
    async command(statement, queryId) {
      const [, staging] =
        /^ALTER TABLE (\S+) MOVE PARTITION/.exec(statement) ?? [];
      if (staging !== undefined)
        await tables.admin.command(`DROP TABLE ${staging} SYNC`);
      await repairer.command(statement, queryId);
    },
  };

  const repair = await tables.repair(HOURS, day, { sql });

  expect(repair).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("another run has taken it over"),
  });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(old);
});

test("a table whose name only begins as those of a repair is the operator's, and stays", async () => {
  const day = daysAgo(11);
  await aShortDay(day);
  const theirs = "endpoint_hour_repair_backup";
  await tables.admin.command(`CREATE TABLE ${theirs} AS endpoint_hour`);

  const repair = await tables.repair(HOURS, day);
  const left = await tables.stagingTables();
  await tables.admin.command(`DROP TABLE IF EXISTS ${theirs} SYNC`);

  expect(repair).toMatchObject({ kind: "repaired", dropped: [] });
  expect(left).toEqual([theirs]);
});

test("many runs at once add what is missing once", async () => {
  const day = daysAgo(8);
  await aShortDay(day);

  const runs = await Promise.allSettled(
    Array.from({ length: 6 }, () => tables.repair(HOURS, day)),
  );

  // Whose table was dropped fails; who sees another at work refuses.
  const repaired = runs.filter(
    (run) => run.status === "fulfilled" && run.value.kind === "repaired",
  );
  expect(repaired.length).toBeLessThanOrEqual(1);
  const last = await tables.repair(HOURS, day);
  expect(["repaired", "nothingToDo"]).toContain(last.kind);
  expect(await tables.bucketsOf(HOURS, day)).toEqual(
    await tables.expectedOf(HOURS, day),
  );
  expect(await tables.stagingTables()).toEqual([]);
});

test("while a mutation of the roll-up is not finished, the day is not judged and not repaired", async () => {
  const day = daysAgo(9);
  await aShortDay(day);
  const { admin } = tables;
  await admin.command(`SYSTEM STOP MERGES ${DATABASE}.endpoint_hour`);
  await admin.command(
    `ALTER TABLE endpoint_hour DELETE WHERE toDate(bucket) = '${day}' AND endpoint_id = 'ep_3' SETTINGS mutations_sync = 0`,
  );

  const verdict = await tables.verdictOf(HOURS, day);
  const refused = await tables.repair(HOURS, day);
  await admin.command(`SYSTEM START MERGES ${DATABASE}.endpoint_hour`);
  for (;;) {
    const open = await admin.query(
      `SELECT 1 FROM system.mutations WHERE database = '${DATABASE}' AND NOT is_done`,
    );
    if (open.length === 0) break;
  }

  const why = expect.stringContaining(
    "an ALTER of endpoint_hour is not finished",
  );
  expect(verdict).toEqual({ kind: "notJudged", why });
  expect(refused).toEqual({ kind: "refused", why });
  expect(await tables.repair(HOURS, day)).toMatchObject({ kind: "repaired" });
  expect(await tables.bucketsOf(HOURS, day)).toEqual(
    await tables.expectedOf(HOURS, day),
  );
});

test("a part that was moved in has the roll-up's TTL", async () => {
  const day = daysAgo(10);
  await aShortDay(day);
  await tables.admin.command(`SYSTEM STOP MERGES ${DATABASE}.endpoint_hour`);

  await tables.repair(HOURS, day);

  const [part] = await tables.admin.query<{ least: number; rows: string }>(
    `SELECT toUInt32(delete_ttl_info_min) AS least, toString(rows) AS rows FROM system.parts
     WHERE database = '${DATABASE}' AND table = 'endpoint_hour' AND active AND partition_id = toString(toYYYYMM(toDate('${day}')))
     ORDER BY max_block_number DESC LIMIT 1`,
  );
  await tables.admin.command(`SYSTEM START MERGES ${DATABASE}.endpoint_hour`);
  expect(part!.least * 1_000).toBe(startOf(day) + 400 * 86_400_000);
});
