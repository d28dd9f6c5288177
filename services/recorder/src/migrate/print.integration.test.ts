/** What `migrate --print` prints, on a real ClickHouse. It has no Keeper, so of what is for a cluster it can only say whether it is SQL. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execute, rowsOf, useStack } from "@postrider/testkit";
import { createWriter, type Writer } from "../clickhouse/writer.ts";
import {
  createDatabase,
  createHistory,
  recordOf,
  statementsOf,
} from "./ddl.ts";
import { runMigrate, runPrint, runPrintAll } from "./migrate-mode.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";

const stack = useStack();
let sql: Writer;
beforeAll(() => {
  sql = createWriter({ url: stack.clickhouseUrl, database: "default" });
});
afterAll(() => sql.close());

const MANY = { database: "postrider", cluster: "main" };
const FOR_A_CLUSTER = [
  createDatabase(MANY),
  createHistory(MANY),
  ...readMigrations().flatMap((migration) => [
    ...statementsOf(migration, MANY),
    recordOf(migration, MANY),
  ]),
].map((statement) => [
  statement
    .split("\n")
    .find((line) => line !== "" && !line.startsWith("--"))
    ?.slice(0, 80),
  statement,
]);

function listening() {
  const lines: string[] = [];
  const say = {
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
  };
  return { lines, say };
}

function envOf(database: string, cluster = "") {
  return {
    CLICKHOUSE_URL: stack.clickhouseUrl,
    POSTRIDER_CLICKHOUSE_DATABASE: database,
    POSTRIDER_CLICKHOUSE_CLUSTER: cluster,
  };
}

test.each(FOR_A_CLUSTER)("ClickHouse can read: %s", async (_, statement) => {
  const [row] = await rowsOf<{ text: string }>(
    stack.clickhouseUrl,
    "SELECT formatQuery({statement: String}) AS text",
    { statement },
  );

  expect(row?.text).not.toBe("");
  // What is read as the cluster's name, and not as something else.
  if (!statement!.startsWith("INSERT"))
    expect(row?.text).toMatch(/ ON CLUSTER `?main`?\b/);
});

test("what is printed makes the tables that migrate makes, and its history", async () => {
  const [printedTo, migratedTo] = ["printed", "migrated"].map(
    (name) => `${stack.database}_${name}`,
  ) as [string, string];
  const { lines, say } = listening();
  await runPrint(say, envOf(printedTo));

  for (const statement of lines.join("\n").split(/;\n/))
    if (statement.trim() !== "") await execute(stack.clickhouseUrl, statement);
  await migrate({ sql, database: migratedTo, migrations: readMigrations() });

  const tablesOf = async (database: string): Promise<unknown> =>
    await rowsOf(
      stack.clickhouseUrl,
      `SELECT name, replaceAll(create_table_query, '${database}', 'd') AS made FROM system.tables WHERE database = '${database}' ORDER BY name`,
    );
  expect(await tablesOf(printedTo)).toEqual(await tablesOf(migratedTo));
  const after = listening();
  expect(await runPrint(after.say, envOf(printedTo))).toBe(0);
  expect(after.lines).toEqual([]);
  for (const database of [printedTo, migratedTo])
    await execute(stack.clickhouseUrl, `DROP DATABASE ${database} SYNC`);
});

test("of a database that has some migrations only the others are printed, and nothing is changed", async () => {
  const database = `${stack.database}_some`;
  const all = readMigrations();
  await migrate({ sql, database, migrations: all.slice(0, -1) });
  const { lines, say } = listening();

  await runPrint(say, envOf(database));
  await runPrint(say, envOf(database));

  const text = lines.join("\n");
  expect(text).toContain(`-- ${all.at(-1)?.name}`);
  expect(text).not.toContain(`-- ${all[0]?.name}`);
  expect(lines[0]).toBe(lines[1]);
  await execute(stack.clickhouseUrl, `DROP DATABASE ${database} SYNC`);
});

test("for a new database on a cluster everything is printed, and no database is made", async () => {
  const database = `${stack.database}_new`;
  const { lines, say } = listening();

  const code = await runPrint(say, envOf(database, "main"));

  const text = lines.join("\n");
  expect(code).toBe(0);
  expect(text).toContain(
    `CREATE DATABASE IF NOT EXISTS ${database} ON CLUSTER 'main';`,
  );
  expect(text.match(/ENGINE = Replicated/g)?.length).toBe(
    text.match(/CREATE TABLE/g)?.length,
  );
  expect(
    await rowsOf(
      stack.clickhouseUrl,
      `SELECT name FROM system.databases WHERE name = '${database}'`,
    ),
  ).toEqual([]);
});

test("all can be printed without a ClickHouse", () => {
  const { lines, say } = listening();

  const code = runPrintAll(say, { POSTRIDER_CLICKHOUSE_CLUSTER: "{cluster}" });

  const text = lines.join("\n");
  expect(code).toBe(0);
  for (const { name } of readMigrations())
    expect(text).toContain(`-- ${name}\n`);
  expect(text).toContain("ON CLUSTER '{cluster}'");
});

test("tables that are not replicated are not migrated on a cluster", async () => {
  const database = `${stack.database}_plain`;
  await migrate({ sql, database, migrations: readMigrations() });
  const { lines, say } = listening();

  const codes = [
    await runMigrate(say, envOf(database, "main")),
    await runPrint(say, envOf(database, "main")),
  ];

  expect(codes).toEqual([5, 5]);
  expect(lines[0]).toContain(`the tables of ${database} are not replicated`);
  expect(lines[1]).toMatch(/^next: Take another database/);
  await execute(stack.clickhouseUrl, `DROP DATABASE ${database} SYNC`);
});

test("a name that is no cluster's is a wrong setting", async () => {
  const { lines, say } = listening();

  expect(await runPrint(say, envOf("postrider", "a'b"))).toBe(2);
  expect(runPrintAll(say, envOf("postrider", "a'b"))).toBe(2);
  expect(lines[0]).toContain("POSTRIDER_CLICKHOUSE_CLUSTER");
});
