/** Roll-ups that are looked at by a user to whom ClickHouse shows a part of the rows. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  attemptsOf,
  DATABASE,
  daysAgo,
  startRollUpServer,
  writerAs,
  type RollUpServer,
  type RollUpTables,
} from "../../fixtures/roll-up-tables.ts";
import { compareDays } from "./compare-days.ts";
import { runRollUps } from "./roll-ups-mode.ts";

const TABLES = ["attempts", "endpoint_hour", "tenant_minute"] as const;
const ONE_TENANT = "tenant_id = 'tenant-0'";
const USERS = {
  ...Object.fromEntries(
    TABLES.map((table) => [table, { [`${DATABASE}.${table}`]: ONE_TENANT }]),
  ),
  // As the policies of docs/security.md, which let everybody but the tenants' user see all.
  all: Object.fromEntries(TABLES.map((table) => [`${DATABASE}.${table}`, "1"])),
};
const day = daysAgo(3);
let server: RollUpServer;
let tables: RollUpTables;
beforeAll(async () => {
  server = await startRollUpServer([DATABASE], USERS);
  tables = await server.tablesIn(DATABASE);
  await tables.record(attemptsOf(day, 80));
}, 120_000);
afterAll(async () => {
  await tables.stop();
  await server.stop();
});

test.each(TABLES)(
  "to a user from whom a row policy hides rows of %s nothing is said of what is short",
  async (table) => {
    const sql = writerAs(tables.stack, table);
    const refused = {
      code: "ROLL_UPS_REFUSED",
      message: expect.stringContaining(`hides rows of ${DATABASE}.${table} `),
      next: expect.stringContaining("SHOW ROW POLICIES"),
    };

    for (const days of [null, [day]])
      await expect(compareDays(sql, DATABASE, days)).rejects.toMatchObject(
        refused,
      );
    await sql.close();
  },
);

test("a repair is refused, too, and says so", async () => {
  const lines: string[] = [];
  const say = { out: (line: string) => void lines.push(line), err: () => {} };
  const repair = {
    kind: "repair",
    days: [{ day, table: "endpoint_hour", mark: "" }],
    isForced: false,
  };

  const code = await runRollUps(say, JSON.stringify(repair), {
    CLICKHOUSE_URL: tables.stack.clickhouse.url,
    POSTRIDER_CLICKHOUSE_DATABASE: DATABASE,
    CLICKHOUSE_USER: "attempts",
    CLICKHOUSE_PASSWORD: "secret",
  });

  expect(code).toBe(0);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("row policy"),
  });
});

test("row policies that hide nothing from the user are no obstacle", async () => {
  const sql = writerAs(tables.stack, "all");

  const verdicts = await compareDays(sql, DATABASE, null);

  expect(verdicts.map(({ verdict }) => verdict)).toEqual([
    { kind: "equal", attempts: 60 },
    { kind: "equal", attempts: 60 },
  ]);
  await sql.close();
});
