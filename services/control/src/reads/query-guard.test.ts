import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { judgeQuery, judgeSubquery } from "./query-guard.ts";

function ruleOf(sql: string): string {
  const judged = judgeQuery(sql);
  return judged.isAllowed ? "allowed" : judged.rule;
}

test.each([
  "SELECT 1",
  "select count() from attempts where url like 'https://%'",
  "WITH 1 AS x SELECT x",
  "SHOW TABLES",
  "EXPLAIN SELECT 1",
  "explain plan indexes = 1, json = 1 select 1",
  "EXPLAIN SYNTAX run_query_tree_passes=1 WITH 1 AS x SELECT x",
  "EXPLAIN QUERY TREE SELECT 1",
  "EXPLAIN PIPELINE graph=0 (SELECT 1) UNION ALL (SELECT 2)",
  "EXPLAIN ESTIMATE SELECT count() FROM attempts",
  'EXPLAIN SELECT "settings" FROM t WHERE settings = 1',
  "SELECT `Settings` FROM system.query_log",
  "SELECT name FROM system.settings WHERE changed",
  'SELECT "q".Settings FROM system.query_log AS q',
  "DESCRIBE TABLE attempts",
  "DESC attempts",
  "EXISTS attempts",
  "(SELECT 1) UNION ALL (SELECT 2)",
  "SELECT * FROM numbers(10)",
  "SELECT 'file(x); drop', \"a;b\", `url` -- url('x')",
  "SELECT format('{}', 1) /* file('x') */",
  "SELECT url, t.file, t.`file` FROM t",
  "SELECT 'file', \"req/s\" FROM t",
  "SELECT 'it''s', 'a\\'b; c'",
  "-- newest first\nSELECT 1",
  "SELECT URLHierarchy('https://a/b')",
])("%s is a query that may be asked", (sql) => {
  expect(ruleOf(sql)).toBe("allowed");
});

test.each([
  ["", "required"],
  ["  -- nothing", "required"],
  [";", "required"],
  ["SELECT 1; SELECT 2", "one_statement"],
  ["SELECT 1;; DROP TABLE t", "one_statement"],
  ["INSERT INTO t SELECT 1", "read_only"],
  ["DROP TABLE t", "read_only"],
  ["SYSTEM SHUTDOWN", "read_only"],
  ["SET readonly = 0", "read_only"],
  ["EXPLAIN", "read_only"],
  ["EXPLAIN INSERT INTO t SELECT 1", "read_only"],
  ["EXPLAIN AST SELECT 1", "read_only"],
  ["EXPLAIN SYNTAX SYSTEM SHUTDOWN", "read_only"],
  ["EXPLAIN EXPLAIN SELECT 1", "read_only"],
  ["EXPLAIN SHOW TABLES", "read_only"],
  ["EXPLAIN TABLE OVERRIDE mysql('x:3306', 'a', 'b', 'c', 'd')", "read_only"],
  ["EXPLAIN CURRENT TRANSACTION", "read_only"],
  ["EXPLAIN QUERY SELECT 1", "read_only"],
  ["(EXPLAIN SELECT 1)", "read_only"],
  ["EXPLAIN SELECT 1 FORMAT JSON", "output"],
  ["EXPLAIN SELECT * FROM url('http://x', CSV)", "function"],
  ["EXPLAIN SELECT (SELECT file('/etc/passwd'))", "function"],
  ["EXPLAIN SELECT 1; SELECT 2", "one_statement"],
  ["EXPLAIN SELECT 1 SETTINGS max_execution_time = 0", "settings"],
  ["EXPLAIN SELECT * FROM (SELECT 1 settings readonly=0)", "settings"],
  ["EXPLAIN SELECT (SELECT 1 SETTINGS `max_memory_usage` = 7)", "settings"],
  ['EXPLAIN SELECT (SELECT 1 SETTINGS "readonly" = 0)', "settings"],
  ["EXPLAIN SELECT (SELECT 1 SETTINGS allow_ddl)", "settings"],
  ["EXPLAIN SELECT (SELECT 1 SETTINGS `allow_ddl`)", "settings"],
  ["EXPLAIN SELECT 1 SETTINGS /* */ `SQL_tenant` = 'other'", "settings"],
  ["SELECT 1 SETTINGS max_execution_time = 0", "settings"],
  ["SELECT 1. SETTINGS max_execution_time = 0", "settings"],
  ["SELECT 1 . SETTINGS max_execution_time = 0", "settings"],
  ["SELECT t.* SETTINGS max_execution_time = 0", "settings"],
  ["SELECT * FROM (SELECT 1 SETTINGS `SQL_tenant` = 'other')", "settings"],
  ["DESCRIBE (SELECT 1 settings readonly = 0)", "settings"],
  ["`SELECT` 1", "read_only"],
  ["SELECT 1 INTO OUTFILE '/tmp/x'", "output"],
  ["SELECT 1 FORMAT JSON", "output"],
  ["SELECT * FROM mergeTreeIndex('default', 'attempts')", "function"],
  ["SELECT * FROM MergeTreeProjection('a', 'b', 'c')", "function"],
  ["SELECT * FROM url('http://169.254.169.254/', CSV)", "function"],
  ["SELECT * FROM /**/ uRl /**/ ('http://x')", "function"],
  ["SELECT * FROM `url`('http://x')", "function"],
  ["SELECT * FROM \"file\"('/etc/passwd')", "function"],
  ["SELECT file('/etc/passwd')", "function"],
  ["SELECT * FROM remoteSecure('x', a, b)", "function"],
  ["SELECT * FROM clusterAllReplicas('c', a.b)", "function"],
  ["SELECT * FROM s3Cluster('c', 'x')", "function"],
  ["SELECT * APPLY(file) FROM t", "function"],
  ["SELECT * APPLY `file` FROM t", "function"],
  ["SELECT arrayMap(file, ['/etc/passwd'])", "function"],
  ["SELECT t.file('/etc/passwd')", "function"],
  ["SELECT aiGenerate('x')", "function"],
  ["SELECT * FROM eval('DROP TABLE t')", "function"],
  ['EXISTS TABLE default."/etc/passwd"', "name"],
  ["DESCRIBE `/etc/passwd`", "name"],
  ["DESCRIBE TABLE url('http://x')", "function"],
  ["SELECT getClientHTTPHeader('Authorization')", "function"],
  ["SELECT 'a", "syntax"],
  ["SELECT 1 /* open", "syntax"],
  ["SELECT * FROM \"\\x66ile\"('x')", "syntax"],
  ["SELECT $/*$ $/*$ , file('/etc/passwd') /* */", "syntax"],
  ["SELECT ‘a’", "syntax"],
  ["SELECT 1 −− x", "syntax"],
])("%s is refused by the rule %s", (sql, rule) => {
  expect(ruleOf(sql)).toBe(rule);
});

test("the length is capped, and a text below the cap is read whole", () => {
  expect(ruleOf(`SELECT '${"a".repeat(100_000)}'`)).toBe("max");
  expect(ruleOf(`SELECT '${"a".repeat(99_000)}'`)).toBe("allowed");
  expect(ruleOf(`SELECT '${"a".repeat(99_000)}`)).toBe("syntax");
});

test("closing semicolons and outer comments are removed, and the rest is sent as written", () => {
  const judged = judgeQuery("  /* x */ SELECT  1 ; ; -- end");

  expect(judged).toEqual({ isAllowed: true, sql: "SELECT  1" });
});

test("no text makes the guard throw, and every allowed text begins with a reading statement", () => {
  const alphabet = fc.constantFrom(
    ..."'\"`;()/*-# \n\\$aZ0",
    "SELECT ",
    "file(",
    "/*",
    "*/",
    "--",
    "é",
  );
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 30 }), (parts) => {
      const judged = judgeQuery(parts.join(""));
      if (judged.isAllowed)
        expect(judged.sql).toMatch(/^[( \n/*#a-z-]*select/i);
    }),
  );
});

test.each([
  ["SELECT delivery_id FROM deliveries; -- all", "allowed"],
  ["(WITH 1 AS x SELECT x)", "allowed"],
  ["SELECT ')' FROM deliveries WHERE id IN (SELECT 1)", "allowed"],
  ["SELECT 1) OR (1 = 1", "syntax"],
  ["SELECT 1)", "syntax"],
  ["SELECT (1", "syntax"],
  ["SHOW TABLES", "read_only"],
  ["EXPLAIN SELECT 1", "read_only"],
  ["SELECT 1 SETTINGS readonly = 0", "settings"],
])("as a part of our own query, %j is: %s", (sql, rule) => {
  const judged = judgeSubquery(sql);

  expect(judged.isAllowed ? "allowed" : judged.rule).toBe(rule);
});
