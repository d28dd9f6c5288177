import { expect, test } from "@jest/globals";
import { columnsWithTtl, rowTtls } from "./table-ttl.ts";

test.each([
  [
    "ours",
    "ReplacingMergeTree PARTITION BY toDate(started_at) ORDER BY (tenant_id, step) TTL toDateTime(started_at) + toIntervalDay(30) SETTINGS ttl_only_drop_parts = 1, index_granularity = 8192",
    ["toDateTime(started_at) + toIntervalDay(30)"],
  ],
  ["none", "AggregatingMergeTree ORDER BY a SETTINGS x = 1", []],
  [
    "without settings",
    "MergeTree ORDER BY a TTL b + toIntervalDay(1)",
    ["b + toIntervalDay(1)"],
  ],
  [
    "several, of which two remove rows",
    "MergeTree ORDER BY a TTL b + toIntervalDay(1) TO VOLUME 'cold', b + toIntervalDay(2) DELETE WHERE c = 'x, y', if(d = 1, b, b + toIntervalDay(9)), b + toIntervalDay(3) RECOMPRESS CODEC(ZSTD(9)) SETTINGS x = 1",
    ["b + toIntervalDay(2)", "if(d = 1, b, b + toIntervalDay(9))"],
  ],
  [
    "one that aggregates",
    "MergeTree ORDER BY a TTL b + toIntervalDay(1) GROUP BY a SET n = sum(n) SETTINGS x = 1",
    ["b + toIntervalDay(1)"],
  ],
])("the TTL of rows: %s", (_, engineFull, expected) => {
  expect(rowTtls(engineFull)).toEqual(expected);
});

test("columns with a TTL of their own are found, and a comment that speaks of a TTL is none", () => {
  const created = [
    "CREATE TABLE p.attempts",
    "(",
    "    `tenant_id` LowCardinality(String) COMMENT 'No TTL here',",
    "    `request_bytes` Int32 CODEC(T64, ZSTD(1)) TTL toDateTime(started_at) + toIntervalDay(7),",
    "    `error` String COMMENT 'It\\'s a TTL of' CODEC(ZSTD(3))",
    ")",
    "ENGINE = ReplacingMergeTree",
    "TTL toDateTime(started_at) + toIntervalDay(30)",
  ].join("\n");

  expect(columnsWithTtl(created)).toEqual(["request_bytes"]);
});
