import { expect, test } from "@jest/globals";
import { createDatabase, createHistory, statementsOf } from "./ddl.ts";
import { readMigrations } from "./migration-files.ts";
import { clusterName, onCluster } from "./on-cluster.ts";

const ONE = { database: "postrider", cluster: null };
const MANY = { database: "postrider", cluster: "main" };
const migrations = readMigrations();

const commentsOf = (statement: string): string[] =>
  statement.split("\n").filter((line) => line.startsWith("--"));
const codeOf = (statement: string): string =>
  statement
    .split("\n")
    .filter((line) => !line.startsWith("--"))
    .join("\n");

test("for one server a migration is run as it is written", () => {
  for (const migration of migrations)
    expect(statementsOf(migration, ONE)).toEqual(
      migration.statements.map((statement) =>
        statement.replaceAll("{database}", "postrider"),
      ),
    );
  expect([createDatabase(ONE), createHistory(ONE)].join()).not.toMatch(
    /CLUSTER|Replicated/,
  );
});

test.each(migrations)(
  "on a cluster every statement of $name is run on all replicas, and every table is replicated",
  (migration) => {
    for (const [index, statement] of statementsOf(migration, MANY).entries()) {
      const before = migration.statements[index]!; // as many as before
      const code = codeOf(statement);

      expect(commentsOf(statement)).toEqual(
        commentsOf(before.replaceAll("{database}", "postrider")),
      );
      expect(code.match(/ON CLUSTER 'main'/g)).toHaveLength(1);
      expect(code).not.toContain("non_replicated");
      expect(code).not.toContain("{database}");
      const engines = code.match(/\bENGINE = \w+/g) ?? [];
      expect(engines).toHaveLength(code.includes("CREATE TABLE") ? 1 : 0);
      if (!code.startsWith("CREATE TABLE")) continue;
      expect(engines[0]).toMatch(/^ENGINE = Replicated\w+MergeTree$/);
      expect(code).toMatch(/ replicated_deduplication_window = 20000\b/);
      expect(code).toMatch(/ replicated_deduplication_window_seconds = \d+/);
    }
  },
);

test("the history and the database are there on all replicas", () => {
  expect(createDatabase(MANY)).toBe(
    "CREATE DATABASE IF NOT EXISTS postrider ON CLUSTER 'main'",
  );
  expect(createHistory(MANY)).toMatch(
    /^CREATE TABLE IF NOT EXISTS postrider\.postrider_migrations ON CLUSTER 'main' \(.* ENGINE = ReplicatedReplacingMergeTree\('\/clickhouse\/tables\/\{uuid\}\/\{shard\}', '\{replica\}'\) ORDER BY number$/,
  );
});

test("nothing else of a statement changes", () => {
  const statement = `-- Why; ENGINE = MergeTree.
CREATE TABLE IF NOT EXISTS {database}.t (
  n UInt8
)
ENGINE = ReplacingMergeTree(version)
ORDER BY n
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 7, index_granularity = 1024`;

  expect(onCluster(statement, "main")).toBe(`-- Why; ENGINE = MergeTree.
CREATE TABLE IF NOT EXISTS {database}.t ON CLUSTER 'main' (
  n UInt8
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version)
ORDER BY n
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 7, replicated_deduplication_window_seconds = 2592000, index_granularity = 1024`);
});

test.each([
  [
    "ALTER TABLE {database}.t ADD COLUMN IF NOT EXISTS n UInt8",
    "ALTER TABLE {database}.t ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS n UInt8\nSETTINGS alter_sync = 2",
  ],
  [
    "ALTER TABLE {database}.t MODIFY SETTING non_replicated_deduplication_window = 9",
    "ALTER TABLE {database}.t ON CLUSTER 'main' MODIFY SETTING replicated_deduplication_window = 9, replicated_deduplication_window_seconds = 2592000\nSETTINGS alter_sync = 2",
  ],
  [
    "ALTER TABLE {database}.v MODIFY QUERY\nSELECT 1",
    "ALTER TABLE {database}.v ON CLUSTER 'main' MODIFY QUERY\nSELECT 1",
  ],
  [
    "ALTER TABLE {database}.t\n  MATERIALIZE INDEX i\nSETTINGS mutations_sync = 0",
    "ALTER TABLE {database}.t ON CLUSTER 'main'\n  MATERIALIZE INDEX i\nSETTINGS mutations_sync = 0",
  ],
  [
    "CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.v TO {database}.t AS\nSELECT 1",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.v ON CLUSTER 'main' TO {database}.t AS\nSELECT 1",
  ],
])("%s", (statement, changed) => {
  expect(onCluster(statement, "main")).toBe(changed);
});

test.each([
  "INSERT INTO {database}.t VALUES (1)",
  "CREATE TABLE {database}.t (n UInt8) ENGINE = MergeTree ORDER BY n",
  "CREATE TABLE IF NOT EXISTS {database}.t (n UInt8) ENGINE = Memory",
  "CREATE TABLE IF NOT EXISTS {database}.t (n UInt8) ENGINE = ReplicatedMergeTree ORDER BY n",
  "DROP TABLE {database}.t",
])("a statement of another form is refused: %s", (statement) => {
  expect(() => onCluster(statement, "main")).toThrow("no form for a cluster");
});

test.each(["main", "a.b-c_1", "{cluster}", " main "])(
  "%j is a cluster's name",
  (text) => {
    expect(clusterName(text)).toBe(text.trim());
  },
);

test.each(["", "a'b", "a b", "{shard}", "-a", "ü"])(
  "%j is no cluster's name",
  (text) => {
    expect(() => clusterName(text)).toThrow("must be a cluster's name");
  },
);
