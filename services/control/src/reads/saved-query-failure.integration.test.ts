/** What a saved query's failure points to: nothing that the caller did not send. */
import { afterAll, expect, test } from "@jest/globals";
import { testEffects, useStack } from "@postrider/testkit";
import { createReader } from "./reader.ts";

const stack = useStack();
const reader = createReader({
  ...testEffects(),
  url: stack.clickhouseUrl,
  database: "default",
  queryTimeoutMs: 1_000,
});
afterAll(() => reader.stop(0));

const TOO_LONG = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)";

test.each([
  ["a saved query that takes too long", TOO_LONG, {}, "since", "159"],
  ["a saved query that fails", "SELECT * FROM nowhere", {}, "name", "60"],
  ["an operator's own SQL", TOO_LONG, undefined, "sql", "159"],
])("%s is a 400", async (_what, sql, values, field, code) => {
  const asked = reader.query(sql, new AbortController().signal, values);

  await expect(asked).rejects.toMatchObject({
    code: "query_failed",
    errors: [{ field, rule: `clickhouse_${code}` }],
  });
});

test("a SELECT of ours that takes too long says what to do, because ClickHouse is not away", async () => {
  await expect(reader.select(TOO_LONG, {})).rejects.toMatchObject({
    code: "clickhouse_unavailable",
    message: expect.stringMatching(/Ask for less/),
  });
});
