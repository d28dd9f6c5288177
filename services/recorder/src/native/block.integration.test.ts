/** Blocks as a real ClickHouse reads them. */
import { beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { aRawRecord, execute, rowsOf, useStack } from "@postrider/testkit";
import { column, encodeBlock } from "./block.ts";
import {
  arrayOf,
  BOOL,
  BYTES,
  INT32,
  INT64,
  nullable,
  TEXT,
  TEXT_MAP,
  TIME,
} from "./column-types.ts";

interface Values {
  readonly n: number;
  readonly text: string;
  readonly keyword: string;
  readonly bytes: Uint8Array;
  readonly bool: boolean;
  readonly int32: number;
  readonly int64: number;
  readonly time: number;
  readonly maybeInt32: number | null;
  readonly maybeTime: number | null;
  readonly texts: readonly string[];
  readonly map: Readonly<Record<string, string>>;
}

const COLUMNS = [
  column("n", INT32, ({ n }: Values) => n),
  column("text", TEXT, ({ text }: Values) => text),
  column("keyword", TEXT, ({ keyword }: Values) => keyword),
  column("bytes", BYTES, ({ bytes }: Values) => bytes),
  column("bool", BOOL, ({ bool }: Values) => bool),
  column("int32", INT32, ({ int32 }: Values) => int32),
  column("int64", INT64, ({ int64 }: Values) => int64),
  column("time", TIME, ({ time }: Values) => time),
  column("maybeInt32", nullable(INT32), (row: Values) => row.maybeInt32),
  column("maybeTime", nullable(TIME), (row: Values) => row.maybeTime),
  column("texts", arrayOf(TEXT), ({ texts }: Values) => texts),
  column("map", TEXT_MAP, ({ map }: Values) => map),
];

const stack = useStack();
const table = () => `${stack.database}.blocks`;

beforeAll(async () => {
  await execute(
    stack.clickhouseUrl,
    `CREATE TABLE ${table()} (n Int32, text String, keyword LowCardinality(String), bytes String, bool Bool, int32 Int32, int64 Int64,
      time DateTime64(3, 'UTC'), maybeInt32 Nullable(Int32), maybeTime Nullable(DateTime64(3, 'UTC')), texts Array(String),
      map Map(LowCardinality(String), String)) ENGINE = Memory`,
  );
});

function blockOf(rows: readonly Values[]): Buffer {
  const raw = aRawRecord();
  return encodeBlock(
    COLUMNS,
    rows.map((value) => ({ value, raw })),
  );
}

/** Inserts the rows, and reads them back as they went in. */
async function roundTrip(rows: readonly Values[]): Promise<unknown[]> {
  await execute(stack.clickhouseUrl, `TRUNCATE TABLE ${table()}`);
  const query = `INSERT INTO ${table()} FORMAT Native`;
  const answer = await fetch(
    `${stack.clickhouseUrl}/?query=${encodeURIComponent(query)}`,
    { method: "POST", body: new Uint8Array(blockOf(rows)) },
  );
  expect(await answer.text()).toBe("");
  return await rowsOf(
    stack.clickhouseUrl,
    `SELECT n, text, keyword, hex(bytes) AS bytes, bool, int32, toString(int64) AS int64, toString(toUnixTimestamp64Milli(time)) AS time,
      maybeInt32, toString(toUnixTimestamp64Milli(maybeTime)) AS maybeTime, texts, mapKeys(map) AS keys, mapValues(map) AS values
    FROM ${table()} ORDER BY n`,
  );
}

/** A row as `roundTrip` reads it. */
function asRead({ bytes, int64, time, maybeTime, map, ...row }: Values) {
  return {
    ...row,
    bytes: Buffer.from(bytes).toString("hex").toUpperCase(),
    int64: String(int64),
    time: String(time),
    maybeTime: maybeTime === null ? null : String(maybeTime),
    keys: Object.keys(map),
    values: Object.values(map),
  };
}

const INT32_EDGES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const INT64_EDGES = [0, -1, 2 ** 32, -(2 ** 32) - 1, 2 ** 53 - 1, 1 - 2 ** 53];
/** What the recorder writes: the years 1970 to 2100. */
const TIMES = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
const TEXTS = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom("", "a".repeat(40), "a".repeat(41), "é".repeat(40), "\0"),
  fc.constantFrom("x".repeat(127), "x".repeat(128), "x".repeat(20_000)),
);

const ROW = fc.record({
  text: TEXTS,
  keyword: fc.oneof(fc.constantFrom("", "acme", "globex"), TEXTS),
  bytes: fc.uint8Array({ maxLength: 300 }),
  bool: fc.boolean(),
  int32: fc.oneof(fc.constantFrom(...INT32_EDGES), fc.integer()),
  int64: fc.oneof(fc.constantFrom(...INT64_EDGES), fc.maxSafeInteger()),
  time: TIMES,
  maybeInt32: fc.option(fc.integer()),
  maybeTime: fc.option(TIMES),
  texts: fc.array(TEXTS, { maxLength: 4 }),
  map: fc.dictionary(TEXTS, TEXTS, { maxKeys: 4, noNullPrototype: true }),
});

test("whatever the values, ClickHouse has what was written", async () => {
  const blocks = fc.array(ROW, { minLength: 1, maxLength: 40 });

  await fc.assert(
    fc.asyncProperty(blocks, async (values) => {
      const rows = values.map((value, n) => ({ ...value, n }));
      expect(await roundTrip(rows)).toEqual(rows.map(asRead));
    }),
    { numRuns: 40 },
  );
});

test("the same rows make the same bytes", () => {
  const rows = fc
    .sample(ROW, { seed: 7, numRuns: 50 })
    .map((value, n) => ({ ...value, n }));

  const copies = structuredClone(rows);

  expect(blockOf(rows)).toEqual(blockOf(copies));
});
