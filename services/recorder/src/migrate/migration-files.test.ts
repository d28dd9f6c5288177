import { expect, test } from "@jest/globals";
import {
  databaseName,
  parseMigration,
  readMigrations,
} from "./migration-files.ts";

test("a statement ends with a semicolon at the end of a line, and a comment alone is no statement", () => {
  const { statements } = parseMigration(
    1,
    "0001_x.sql",
    "-- why; because\nCREATE TABLE a (x String DEFAULT ';');\n\n-- the end\nSELECT 1\n;\n-- nothing\n",
  );

  expect(statements).toEqual([
    "-- why; because\nCREATE TABLE a (x String DEFAULT ';')",
    "-- the end\nSELECT 1",
  ]);
});

test("line ends do not change a migration", () => {
  const unix = parseMigration(1, "0001_x.sql", "SELECT 1;\nSELECT 2;\n");
  const windows = parseMigration(1, "0001_x.sql", "SELECT 1;\r\nSELECT 2;\r\n");

  expect(windows).toEqual(unix);
});

test("our own migrations are numbered without a gap, and every table has a deduplication window", () => {
  const migrations = readMigrations();

  expect(migrations.map(({ number }) => number)).toEqual(
    migrations.map((_, index) => index + 1),
  );
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    if (!statement.includes("CREATE TABLE")) continue;
    expect(statement).toMatch(/non_replicated_deduplication_window = 20000/);
    expect(statement).toMatch(/CREATE TABLE IF NOT EXISTS \{database\}\./);
    expect(statement).not.toMatch(/ Enum(8|16)/);
  }
});

test.each(["a-b", "1a", "a.b", "a;b", "", "ü"])(
  "%j is not a database name",
  (text) => {
    expect(() => databaseName(text)).toThrow("database name");
  },
);
