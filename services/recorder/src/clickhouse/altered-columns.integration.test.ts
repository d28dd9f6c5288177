/** Inserts into tables that an operator has altered, on a real ClickHouse. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Attempt } from "@postrider/core";
import type { InsertResult } from "@postrider/messaging";
import { anAttempt, aRawRecord, useStack } from "@postrider/testkit";
import { ATTEMPTS } from "../columns.ts";
import { migrate } from "../migrate/migrate.ts";
import { readMigrations } from "../migrate/migration-files.ts";
import { createWriter } from "./writer.ts";
import type { Writer } from "./writer.ts";

const stack = useStack();
const NOW = Date.now();
let writer: Writer;
let tables = 0;

beforeAll(async () => {
  const { clickhouseUrl: url, database } = stack;
  writer = createWriter({ url, database });
  await migrate({ sql: writer, database, migrations: readMigrations() });
});
afterAll(() => writer.close());

/** Inserts one attempt into a table like `attempts` that was altered so. */
async function insertInto(
  alteration: string,
  fields: Partial<Attempt> = {},
): Promise<{ readonly answer: InsertResult; readonly table: string }> {
  const table = `altered_${tables++}`;
  await writer.command(`CREATE TABLE ${table} AS attempts`);
  await writer.command(`ALTER TABLE ${table} ${alteration}`);
  const value = anAttempt({ receivedAt: NOW, startedAt: NOW, ...fields });
  const raw = aRawRecord({ topic: "attempts", offset: 1, timestamp: NOW });
  const answer = await writer
    .tableOf({ ...ATTEMPTS, name: table })
    .insert([{ value, raw }], table, AbortSignal.timeout(30_000));
  return { answer, table };
}

test.each([
  ["MODIFY COLUMN worker String", "worker", "test"],
  ["MODIFY COLUMN error LowCardinality(String)", "error", ""],
  ["MODIFY COLUMN replay_id Nullable(String)", "replay_id", ""],
  ["MODIFY COLUMN status_code Nullable(UInt16)", "status_code", "200"],
  ["MODIFY COLUMN request_bytes Int64", "request_bytes", "30"],
  ["MODIFY COLUMN request_bytes String CODEC(ZSTD(1))", "request_bytes", "30"],
  ["MODIFY COLUMN is_reused UInt8", "is_reused", "0"],
  ["MODIFY COLUMN outcome Enum8('delivered' = 1)", "outcome", "delivered"],
  [
    "MODIFY COLUMN received_at DateTime64(6)",
    "toUnixTimestamp64Milli(received_at)",
    `${NOW}`,
  ],
  [
    "MODIFY COLUMN response_headers Map(String, String)",
    "response_headers",
    "{}",
  ],
  ["ADD COLUMN region String DEFAULT 'eu' FIRST", "region", "eu"],
])("%s: rows go on", async (alteration, column, value) => {
  const { answer, table } = await insertInto(alteration);

  expect(answer).toEqual({ kind: "inserted" });
  expect(
    await writer.query(`SELECT toString(${column}) AS value FROM ${table}`),
  ).toEqual([{ value }]);
});

test.each([
  ["MODIFY COLUMN worker Enum8('w' = 1)", { worker: "x" }],
  ["MODIFY COLUMN worker FixedString(2)", { worker: "long" }],
  ["MODIFY COLUMN worker UUID", { worker: "x" }],
  ["MODIFY COLUMN worker Int32", { worker: "x" }],
  ["MODIFY COLUMN worker Int32", { worker: "" }],
  ["MODIFY COLUMN worker Float64", { worker: "" }],
  ["MODIFY COLUMN worker Decimal(9, 2)", { worker: "9".repeat(40) }],
  ["MODIFY COLUMN worker Decimal(9, 2)", { worker: "" }],
  ["MODIFY COLUMN worker DateTime", { worker: "x" }],
  ["MODIFY COLUMN worker DateTime64(3)", { worker: "x" }],
  ["MODIFY COLUMN worker Date", { worker: "x" }],
  ["MODIFY COLUMN worker Bool", { worker: "x" }],
  ["MODIFY COLUMN worker IPv4", { worker: "x" }],
  ["MODIFY COLUMN worker IPv6", { worker: "x" }],
  ["MODIFY COLUMN worker Array(String)", { worker: "x" }],
  ["MODIFY COLUMN next_attempt_at DateTime64(3) DEFAULT 0", {}],
  ["ADD CONSTRAINT c CHECK worker != 'x'", { worker: "x" }],
])("%s refuses a row with %j", async (alteration, fields) => {
  const { answer } = await insertInto(alteration, fields);

  expect(answer).toMatchObject({ kind: "refused" });
});

test.each([
  ["UInt64", -1, "18446744073709551615"],
  ["UInt8", 300, "44"],
  ["Int8", 300, "44"],
])(
  "a number that the type %s cannot hold wraps round: %s becomes %s, and ClickHouse says nothing",
  async (type, sourceOffset, value) => {
    const alteration = `MODIFY COLUMN source_offset ${type}`;

    const { answer, table } = await insertInto(alteration, { sourceOffset });

    expect(answer).toEqual({ kind: "inserted" });
    expect(
      await writer.query(
        `SELECT toString(source_offset) AS value FROM ${table}`,
      ),
    ).toEqual([{ value }]);
  },
);

test.each([
  ["DROP COLUMN worker, ADD COLUMN worker Map(String, String)", "worker"],
  ["DROP COLUMN worker", "worker"],
])(
  "%s: no row can ever be taken, so an operator is waited for, and no row is refused",
  async (alteration, column) => {
    const { answer } = await insertInto(alteration);

    expect(answer).toMatchObject({
      kind: "unavailable",
      needsOperator: true,
      detail: expect.stringContaining(column),
    });
  },
);
