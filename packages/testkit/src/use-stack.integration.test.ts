import { afterAll, expect, test } from "@jest/globals";
import { execute, rowsOf } from "./clickhouse.ts";
import { topicsUnder } from "./stack-topics.ts";
import { useStack } from "./use-stack.ts";

const stack = useStack();
/** As a file stops its services, which need their topics for that. Where it fails, the file fails. */
afterAll(async () => {
  expect(await topicsUnder(stack.kafka(), stack.prefix)).not.toEqual([]);
});

test("a test file makes topics under its own prefix", async () => {
  const topics = await stack.createTopics("events", "control");

  const listed = await topicsUnder(stack.kafka(), stack.prefix);

  expect(topics).toEqual([`${stack.prefix}events`, `${stack.prefix}control`]);
  expect(listed.toSorted()).toEqual(topics.toSorted());
});

test("a test file writes to its own database", async () => {
  await execute(
    stack.clickhouseUrl,
    `CREATE TABLE ${stack.database}.t (n UInt8) ENGINE = MergeTree ORDER BY n`,
  );
  await execute(
    stack.clickhouseUrl,
    `INSERT INTO ${stack.database}.t VALUES (1), (2)`,
  );

  const rows = await rowsOf<{ n: number }>(
    stack.clickhouseUrl,
    `SELECT n FROM ${stack.database}.t ORDER BY n`,
  );

  expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
});
