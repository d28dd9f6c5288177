/** What an insert can leave behind when ClickHouse is killed in the middle, and how the recorder mends it. The test kills a real ClickHouse of its own, in which the recorder has exactly the grants of the list. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startStack } from "@postrider/local-stack";
import type {
  ClickHouseUser,
  ServerHandle,
  Stack,
} from "@postrider/local-stack";
import type { Attempt } from "@postrider/core";
import type { BatchTarget } from "@postrider/messaging";
import { grantsOf, grantStatement } from "@postrider/runtime";
import type { GrantHolder } from "@postrider/runtime";
import {
  aDeadLetter,
  anAttempt,
  anAuditEntry,
  anIntake,
  aRawRecord,
  aSignal,
} from "@postrider/testkit";
import { ATTEMPTS, AUDIT, DEAD_LETTERS, EVENTS, SIGNALS } from "../columns.ts";
import type { Row, Table } from "../columns.ts";
import { mendInsert } from "./mend-insert.ts";
import type { MendSql } from "./mend-insert.ts";
import { migrate } from "../migrate/migrate.ts";
import { readMigrations } from "../migrate/migration-files.ts";
import { createWriter } from "./writer.ts";
import type { Writer } from "./writer.ts";

const NOW = Date.now();
const DAY_MS = 86_400_000;
const database = "postrider_mend";
const never = new AbortController().signal;
let stack: Stack;
let server: ServerHandle;
/** Who may do everything. */
let admin: Writer;
/** The recorder's user, who has exactly its grants. */
let writer: Writer;
let target: BatchTarget<Row<Attempt>>;

beforeAll(async () => {
  stack = await startStack({
    provider: "local",
    clickhouseUsers: {
      migrate: userOf("migrate"),
      recorder: userOf("recorder"),
    },
  });
  server = stack.clickhouse.server!; // a local stack always has its own server process
  const { url } = stack.clickhouse;
  const as = (username: string, name = database) =>
    createWriter({
      url,
      database: name,
      auth: () => ({ username, password: "secret" }),
    });
  const migrator = as("migrate", "default");
  await migrate({ sql: migrator, database, migrations: readMigrations() });
  await migrator.close();
  admin = createWriter({ url, database });
  writer = as("recorder");
  target = writer.tableOf(ATTEMPTS);
});
afterAll(async () => {
  await writer.close();
  await admin.close();
  await stack.stop();
});

function userOf(holder: GrantHolder): ClickHouseUser {
  const grants = grantsOf(holder, database).map((grant) =>
    grantStatement(grant, "").replace(/ TO $/, ""),
  );
  return { password: "secret", grants };
}

/** 100 attempts of two days, so ClickHouse makes two parts. Each call's rows are of another partition of the log. */
function attemptsOf(
  partition: number,
  fieldsOf: (n: number) => Partial<Attempt> = () => ({}),
): Row<Attempt>[] {
  return Array.from({ length: 100 }, (_, n) => {
    const value = anAttempt({
      tenantId: tenantOf(partition),
      deliveryId: `d${n}`,
      receivedAt: NOW,
      startedAt: NOW - (n % 2) * DAY_MS + n,
      ...fieldsOf(n),
    });
    const raw = aRawRecord({
      topic: "attempts",
      partition,
      offset: 5_000 + n,
      timestamp: NOW,
    });
    return { value, raw };
  });
}

const tenantOf = (partition: number) => `tenant-${partition}`;

async function countsOf(partition: number): Promise<unknown> {
  const of = `WHERE tenant_id = '${tenantOf(partition)}'`;
  const [row] = await admin.query(
    `SELECT
      (SELECT concat(toString(count()), '/', toString(uniqExact(log_offset))) FROM attempts ${of}) AS attempts,
      (SELECT toUInt32(sum(attempts)) FROM endpoint_hour ${of}) AS hours,
      (SELECT toUInt32(sum(attempts)) FROM tenant_minute ${of}) AS minutes,
      (SELECT toUInt32(count()) FROM deliveries FINAL ${of}) AS deliveries`,
  );
  return row;
}

const whole = {
  attempts: "100/100",
  hours: 100,
  minutes: 100,
  deliveries: 100,
};

async function stagingTables(): Promise<unknown[]> {
  return await admin.query(
    `SELECT name FROM system.tables WHERE database = '${database}' AND name LIKE '%mend%'`,
  );
}

/** Kills ClickHouse and removes the parts of a table that hold a tenant's rows. Their deduplication entries stay, as after a kill between a part's entry and its rename. */
async function killWithin(
  table: string,
  partition: number,
  isTaken: (partId: string) => boolean = () => true,
): Promise<void> {
  const parts = await admin.query<{ path: string; id: string }>(
    `SELECT path, partition_id AS id FROM system.parts WHERE database = '${database}' AND table = '${table}' AND active AND name IN (SELECT _part FROM ${table} WHERE tenant_id = '${tenantOf(partition)}')`,
  );
  const taken = parts.filter(({ id }) => isTaken(id));
  await server.kill9();
  for (const { path, id } of taken) {
    const log = join(path, "..", "deduplication_logs");
    const entries = readdirSync(log).map((name) =>
      readFileSync(join(log, name), "utf8"),
    );
    expect(entries.join("")).toContain(id);
    rmSync(path, { recursive: true });
  }
  expect(taken).not.toHaveLength(0);
  await server.restart();
}

const dayOf = (at: number) =>
  new Date(at).toISOString().slice(0, 10).replaceAll("-", "");

test("rows that a kill lost, though their deduplication entry stayed, are put back once, and the views count them once", async () => {
  const rows = attemptsOf(1);
  await target.insert(rows, "one", never);
  await killWithin("attempts", 1, (id) => id === dayOf(NOW));

  // This is the defect: ClickHouse answers "inserted" to the repeat and drops its rows.
  expect(await target.insert(rows, "one", never)).toEqual({ kind: "inserted" });
  expect(await countsOf(1)).toEqual({ ...whole, attempts: "50/50" });

  expect(await target.mend(rows, "one", never)).toEqual({
    kind: "mended",
    rows: 50,
  });

  expect(await countsOf(1)).toEqual(whole);
  expect(await target.mend(rows, "one", never)).toEqual({
    kind: "mended",
    rows: 0,
  });
  await target.insert(rows, "one", never);
  await admin.command("OPTIMIZE TABLE attempts FINAL");
  expect(await countsOf(1)).toEqual(whole);
  expect(await stagingTables()).toEqual([]);
});

test("views that a kill left without their rows and their deduplication entry are filled by repeating the insert", async () => {
  const rows = attemptsOf(2);
  await target.insert(rows, "two", never);
  for (const table of ["endpoint_hour", "tenant_minute", "deliveries"])
    await admin.command(`TRUNCATE TABLE ${table}`); // removes the deduplication entries, too

  await target.insert(rows, "two", never);

  expect(await target.mend(rows, "two", never)).toEqual({
    kind: "mended",
    rows: 0,
  });
  expect(await countsOf(2)).toEqual(whole);
});

test("rows of deliveries that a kill lost, though their deduplication entry stayed, are put back", async () => {
  const rows = attemptsOf(5);
  await target.insert(rows, "five", never);
  await killWithin("deliveries", 5);
  await target.insert(rows, "five", never);
  expect(await countsOf(5)).toEqual({ ...whole, deliveries: 0 });

  await target.mend(rows, "five", never);

  expect(await countsOf(5)).toEqual(whole);
});

test.each([
  [EVENTS, anIntake({ deliveries: [{ deliveryId: "d", endpointId: "e" }] })],
  [DEAD_LETTERS, aDeadLetter({ deliveryId: "d" })],
  [SIGNALS, aSignal()],
  [AUDIT, anAuditEntry()],
])("$name and what it fills are mended, too", async (table, value) => {
  const now = { receivedAt: NOW, decidedAt: NOW, deadAt: NOW, at: NOW };
  const tenantId = `mended-${table.name}`;
  const row = {
    value: { ...value, ...now, tenantId },
    raw: aRawRecord({ offset: 7, timestamp: NOW }),
  };

  const mended = await writer
    .tableOf(table as Table<unknown>)
    .mend([row], "t", never);

  expect(mended).toEqual({ kind: "mended", rows: 1 });
  const filled = table.deliveriesView === null ? [] : ["deliveries"];
  for (const name of [table.name, ...filled])
    expect(
      await writer.query(
        `SELECT tenant_id FROM ${name} FINAL WHERE tenant_id = '${tenantId}'`,
      ),
    ).toHaveLength(1);
});

test("a mend that dies before or after any of its statements is repeated, and leaves each row once", async () => {
  let left = Infinity; // so many calls succeed; the next one fails, either after its statement ran or before
  let actsAtTheEnd = false;
  async function mayDie<T>(act: () => Promise<T>): Promise<T> {
    if (left-- > 0) return await act();
    if (actsAtTheEnd) await act();
    throw new Error("died here");
  }
  const sqlOf = (token: string): MendSql<Attempt> => ({
    command: (statement) => mayDie(() => writer.command(statement)),
    query: (query) => mayDie(() => writer.query(query)),
    insert: (name, rows) =>
      mayDie(() =>
        writer.tableOf({ ...ATTEMPTS, name }).insert(rows, token, never),
      ).then(() => undefined),
  });

  let deaths = 0;
  for (let partition = 10; ; partition++) {
    const rows = attemptsOf(partition);
    const sql = sqlOf(`token-${partition}`);
    actsAtTheEnd = partition % 2 === 1;
    left = (partition - 10) >> 1;
    const outcome = await mendInsert(sql, ATTEMPTS, rows).catch(String);
    if (typeof outcome === "string") {
      expect(outcome).toContain("died here");
      deaths++;
      left = Infinity;
      await mendInsert(sql, ATTEMPTS, rows);
    }

    expect(await countsOf(partition)).toEqual({
      attempts: "100/100",
      hours: 0,
      minutes: 0,
      deliveries: 100,
    });
    expect(await stagingTables()).toEqual([]);
    if (outcome === 100) break;
  }
  expect(deaths).toBeGreaterThanOrEqual(2 * 11);
});

test("a row that a later one of the same key has replaced is not missing", async () => {
  const rows = attemptsOf(3, (n) => ({
    deliveryId: `d${n % 20}`,
    startedAt: NOW + (n % 20),
  }));
  await target.insert(rows, "three", never);
  const before = await countsOf(3);

  const mended = await target.mend(rows, "three", never);

  expect(mended).toEqual({ kind: "mended", rows: 0 });
  expect(await countsOf(3)).toEqual(before);
  expect(before).toMatchObject({ attempts: "20/20", hours: 100 });
});

test("a mend whose rows make no block says which column it is, without the value, and not that ClickHouse is away", async () => {
  const rows = attemptsOf(6, () => ({ worker: 4111 as unknown as string }));

  const answer = await target.mend(rows, "six", never);

  expect(answer).toEqual({
    kind: "unavailable",
    detail: "no block could be made of the rows: column worker: TypeError",
    needsOperator: false,
  });
});

test("while ClickHouse is down a mend reports it as unavailable", async () => {
  const rows = attemptsOf(4);
  await server.kill9();

  const answer = await target.mend(rows, "four", never);
  await server.restart();

  expect(answer).toMatchObject({ kind: "unavailable", needsOperator: false });
});
