import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  execute,
  rowsOf,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { runMigrate } from "./migrate-mode.ts";
import {
  MigrationRefusedError,
  migrate,
  pendingMigrations,
} from "./migrate.ts";
import { parseMigration, readMigrations } from "./migration-files.ts";
import { createTableWatch } from "./table-watch.ts";
import { createWriter } from "../clickhouse/writer.ts";
import type { Writer } from "../clickhouse/writer.ts";

const stack = useStack();
let sql: Writer;
beforeAll(() => {
  sql = createWriter({ url: stack.clickhouseUrl, database: "default" });
});
afterAll(() => sql.close());

const one = parseMigration(
  1,
  "0001_one.sql",
  "CREATE TABLE IF NOT EXISTS {database}.one (n UInt8) ENGINE = Memory;",
);
const two = parseMigration(
  2,
  "0002_two.sql",
  "INSERT INTO {database}.one VALUES (1);\nINSERT INTO {database}.one VALUES (2);",
);

/** Runs a test in a database of its own, which it removes afterwards. Its name begins with the name of this file's database. */
async function inDatabase<T>(
  name: string,
  use: (database: string) => Promise<T>,
): Promise<T> {
  const database = `${stack.database}_${name}`;
  try {
    return await use(database);
  } finally {
    await execute(
      stack.clickhouseUrl,
      `DROP DATABASE IF EXISTS ${database} SYNC`,
    );
  }
}

test("each migration is applied once, in a database made for it", async () => {
  await inDatabase("once", async (database) => {
    const first = await migrate({ sql, database, migrations: [one] });
    const second = await migrate({ sql, database, migrations: [one, two] });
    const third = await migrate({ sql, database, migrations: [one, two] });

    expect([first, second, third]).toEqual([
      ["0001_one.sql"],
      ["0002_two.sql"],
      [],
    ]);
    expect(
      await rowsOf(
        stack.clickhouseUrl,
        `SELECT n FROM ${database}.one ORDER BY n`,
      ),
    ).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

test("four migrators at once apply each migration once", async () => {
  await inDatabase("four", async (database) => {
    const runs = await Promise.all(
      [1, 2, 3, 4].map(() =>
        migrate({ sql, database, migrations: [one, two] }),
      ),
    );

    expect(runs.flat().sort()).toEqual(["0001_one.sql", "0002_two.sql"]);
    expect(
      await rowsOf(
        stack.clickhouseUrl,
        `SELECT toUInt8(count()) AS n FROM ${database}.one`,
      ),
    ).toEqual([{ n: 2 }]);
  });
});

test("a changed migration is refused and named", async () => {
  await inDatabase("changed", async (database) => {
    await migrate({ sql, database, migrations: [one] });
    const edited = parseMigration(1, "0001_one.sql", "SELECT 1;");

    const attempt = migrate({ sql, database, migrations: [edited, two] });

    await expect(attempt).rejects.toThrow(MigrationRefusedError);
    await expect(attempt).rejects.toThrow("0001_one.sql was changed");
  });
});

test("a database that a newer Postrider migrated further is left alone", async () => {
  await inDatabase("newer", async (database) => {
    await migrate({ sql, database, migrations: [one, two] });

    expect(
      await pendingMigrations({ sql, database, migrations: [one] }),
    ).toEqual([]);
  });
});

test("the lock of a migrator that died is waited for, then broken", async () => {
  await inDatabase("stale", async (database) => {
    await execute(stack.clickhouseUrl, `CREATE DATABASE ${database}`);
    await execute(
      stack.clickhouseUrl,
      `CREATE TABLE ${database}.postrider_migrations_lock (held UInt8) ENGINE = Memory`,
    );

    await expect(
      migrate({ sql, database, migrations: [one], lockWaitMs: 300 }),
    ).rejects.toThrow("another migrator");
    expect(
      await migrate({ sql, database, migrations: [one], staleLockMs: 500 }),
    ).toEqual(["0001_one.sql"]);
  });
});

test("the command prints what it did, or that there was nothing to do", async () => {
  await inDatabase("command", async (database) => {
    const ours = readMigrations();
    const lines: string[] = [];
    const say = {
      out: (line: string) => void lines.push(line),
      err: (line: string) => void lines.push(line),
    };
    const env = {
      CLICKHOUSE_URL: stack.clickhouseUrl,
      POSTRIDER_CLICKHOUSE_DATABASE: database,
    };

    expect(await runMigrate(say, env)).toBe(0);
    expect(await runMigrate(say, env)).toBe(0);

    expect(lines).toEqual([
      ...ours.map(({ name }) => `applied ${name}`),
      `${database} is up to date: ${ours.length} migrations, ${ours.length} applied now`,
      `${database} is up to date: ${ours.length} migrations, 0 applied now`,
    ]);
  });
});

test("exit codes tell a wrong configuration, an absent server and a changed history apart", async () => {
  await inDatabase("codes", async (database) => {
    const say = { out: () => undefined, err: () => undefined };
    const env = {
      CLICKHOUSE_URL: stack.clickhouseUrl,
      POSTRIDER_CLICKHOUSE_DATABASE: database,
    };
    await migrate({ sql, database, migrations: [one] });

    expect(
      await runMigrate(say, { ...env, POSTRIDER_CLICKHOUSE_DATABASE: "a;b" }),
    ).toBe(2);
    expect(
      await runMigrate(say, { ...env, CLICKHOUSE_URL: "http://127.0.0.1:1" }),
    ).toBe(3);
    expect(await runMigrate(say, env)).toBe(5);
  });
});

test("the watch is not ready until the tables are there", async () => {
  await inDatabase("watch", async (database) => {
    const { log } = testEffects();
    const watch = createTableWatch({
      sql,
      database,
      migrations: [one],
      log,
      everyMs: 20,
    });
    await watch.start();
    expect(watch.check()).toMatchObject({
      isOk: false,
      detail: expect.stringContaining("postrider migrate"),
    });

    await migrate({ sql, database, migrations: [one] });

    await waitFor(() => watch.check().isOk);
    await watch.stop(0);
  });
});
