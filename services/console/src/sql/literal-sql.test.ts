import { expect, test } from "@jest/globals";
import { withLiterals } from "./literal-sql.ts";

const query = {
  sql: "SELECT 1 WHERE at >= {since:DateTime64(3)} AND tenant_id = {tenant:String} AND share < {target:Float64} LIMIT {limit:UInt32}",
  parameters: [
    ["since", "DateTime64(3)", "1h"],
    ["tenant", "String", ""],
    ["target", "Float64", null],
    ["limit", "UInt32", "20"],
  ].map(([name = "", type = "", value]) => ({
    name: name!,
    type: type!,
    default: value ?? null,
    description: "",
  })),
};

test("a value that is not given is the default", () => {
  expect(withLiterals(query, { target: "0.99" })).toBe(
    "SELECT 1 WHERE at >= subtractHours(now64(3, 'UTC'), 1) AND tenant_id = '' AND share < 0.99 LIMIT 20",
  );
});

test.each([
  ["now", "now64(3, 'UTC')"],
  ["15m", "subtractMinutes(now64(3, 'UTC'), 15)"],
  ["1700000000000", "fromUnixTimestamp64Milli(1700000000000, 'UTC')"],
  [
    "2026-11-30T05:04:52+01:00",
    "parseDateTime64BestEffort('2026-11-30T05:04:52+01:00', 3, 'UTC')",
  ],
])("the time %s becomes %s", (since, literal) => {
  expect(withLiterals(query, { since })).toContain(`at >= ${literal} AND`);
});

test("no value becomes SQL, and what looks like a parameter in one is a text", () => {
  const sql = withLiterals(query, {
    tenant: "a' OR 1=1 --\\",
    target: "1) OR (1",
    limit: "{since:DateTime64(3)}",
  });

  expect(sql).toContain("tenant_id = 'a\\' OR 1=1 --\\\\' AND");
  expect(sql).toContain("share < '1) OR (1'");
  expect(sql).toContain("LIMIT '{since:DateTime64(3)}'");
});
