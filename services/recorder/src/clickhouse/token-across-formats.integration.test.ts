/**
 * A rolling update repeats an insert in another format: recorders before the format Native sent JSONCompactEachRow. Its token must
 * make it a repeat all the same, for the table and for each view behind it.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  aDeadLetter,
  anAttempt,
  anIntake,
  aRawRecord,
  useStack,
} from "@postrider/testkit";
import { ATTEMPTS, DEAD_LETTERS, EVENTS } from "../columns.ts";
import type { Row, Table } from "../columns.ts";
import { migrate } from "../migrate/migrate.ts";
import { readMigrations } from "../migrate/migration-files.ts";
import { createWriter } from "./writer.ts";
import type { Writer } from "./writer.ts";

const stack = useStack();
const NOW = Date.now();
const DAY_MS = 86_400_000;
const ROWS = 40;
const VIEWS = ["deliveries", "endpoint_hour", "tenant_minute"];
let writer: Writer;
let tokens = 0;

beforeAll(async () => {
  const { clickhouseUrl: url, database } = stack;
  writer = createWriter({ url, database });
  await migrate({ sql: writer, database, migrations: readMigrations() });
  // A merge would remove a row that is there twice.
  for (const table of ["events", "attempts", "dead_letters", ...VIEWS])
    await writer.command(`SYSTEM STOP MERGES ${database}.${table}`);
});
afterAll(() => writer.close());

interface Insert {
  readonly table: Table<unknown>;
  readonly rows: readonly Row<unknown>[];
  readonly token: string;
}

async function asNative({ table, rows, token }: Insert): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  expect(await writer.tableOf(table).insert(rows, token, signal)).toEqual({
    kind: "inserted",
  });
}

/** As recorders did it that knew JSON only. Bytes went as base64, into a column of their own. */
async function asJson({ table, rows, token }: Insert): Promise<void> {
  const copy = `copy_${tokens++}`;
  await writer.command(`CREATE TABLE ${copy} AS ${table.name}`);
  await asNative({ table: { ...table, name: copy }, rows, token: copy });
  const names = table.columns.map(({ name }) => name);
  const isBytes = (name: string) => /^(payload|response_body)$/.test(name);
  const values = names.map((name) =>
    isBytes(name) ? `base64Encode(${name})` : name,
  );
  const body = await writer.valueOf(
    `SELECT ${values.join()} FROM ${copy} ORDER BY log_offset FORMAT JSONCompactEachRow`,
  );
  const into = names.map((name) => (isBytes(name) ? `${name}_base64` : name));
  await postJson(`INSERT INTO ${table.name} (${into.join()})`, body, token);
}

async function postJson(insert: string, body: string, token: string) {
  const parameters = new URLSearchParams({
    database: stack.database,
    query: `${insert} FORMAT JSONCompactEachRow`,
    insert_deduplicate: "1",
    insert_deduplication_token: token,
    deduplicate_blocks_in_dependent_materialized_views: "1",
    async_insert: "0",
    wait_end_of_query: "1",
    input_format_parallel_parsing: "0",
    max_insert_block_size: "1048449",
    max_partitions_per_insert_block: "0",
    date_time_input_format: "best_effort",
  });
  const answer = await fetch(
    `${stack.clickhouseUrl}/?${parameters.toString()}`,
    {
      method: "POST",
      body,
    },
  );
  expect([answer.status, await answer.text()]).toEqual([200, ""]);
}

/** Rows of two days, so that the insert makes two parts. */
function rowsOf(make: (n: number, at: number) => unknown): Row<unknown>[] {
  return Array.from({ length: ROWS }, (_, n) => ({
    value: make(n, NOW - (n % 2) * DAY_MS),
    raw: aRawRecord({ partition: n % 4, offset: 100 + n, timestamp: NOW }),
  }));
}

const EVENT_ROWS = rowsOf((n, at) =>
  anIntake({
    eventId: `e${n}`,
    receivedAt: at,
    decidedAt: at,
    deliveries: [{ deliveryId: `d${n}`, endpointId: "endpoint" }],
  }),
);
const ATTEMPT_ROWS = rowsOf((n, at) =>
  anAttempt({
    deliveryId: `d${n}`,
    receivedAt: at,
    startedAt: at,
    responseBody: Buffer.from([n, 0xff]),
  }),
);
const DEAD_LETTER_ROWS = rowsOf((n, at) =>
  aDeadLetter({ deliveryId: `d${n}`, receivedAt: at, deadAt: at }),
);

/** How many rows the table and the views have; of roll-ups, how many attempts they count. */
async function countsOf(table: string): Promise<readonly number[]> {
  const [row] = await writer.query<{ counts: number[] }>(
    `SELECT arrayMap(n -> toUInt32(n), [
      (SELECT count() FROM ${table}), (SELECT count() FROM deliveries),
      (SELECT sum(attempts) FROM endpoint_hour), (SELECT sum(attempts) FROM tenant_minute)]) AS counts`,
  );
  return row!.counts; // SELECT without FROM has one row
}

const TABLES = [
  [EVENTS, EVENT_ROWS, 0],
  [ATTEMPTS, ATTEMPT_ROWS, ROWS],
  [DEAD_LETTERS, DEAD_LETTER_ROWS, 0],
] as const;

test.each(
  TABLES.flatMap(([table, rows, rolledUp]) => [
    { table, rows, rolledUp, order: [asJson, asNative], name: "as JSON first" },
    { table, rows, rolledUp, order: [asNative, asJson], name: "as JSON later" },
  ]),
)(
  "$table.name: rows that are sent in both formats under one token, $name, are there once",
  async ({ table, rows, rolledUp, order }) => {
    for (const each of [table.name, ...VIEWS])
      await writer.command(`TRUNCATE TABLE ${each}`);
    const insert = {
      table: table as Table<unknown>,
      rows,
      token: `token-${tokens++}`,
    };
    const once = [ROWS, ROWS, rolledUp, rolledUp];

    for (const send of order) {
      await send(insert);
      expect(await countsOf(table.name)).toEqual(once);
    }

    // The counts would show it: under another token they are there twice.
    await order[1]!({ ...insert, token: `token-${tokens++}` });
    expect(await countsOf(table.name)).toEqual(once.map((count) => 2 * count));
  },
);
