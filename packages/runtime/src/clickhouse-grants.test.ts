import { expect, test } from "@jest/globals";
import {
  createGrantsCheck,
  missingGrants,
  type AskClickHouse,
} from "./clickhouse-grants.ts";

/** A ClickHouse whose user `alice` has everything but what the pattern names. */
function clickhouseWithout(pattern: RegExp, asked: string[] = []) {
  const ask: AskClickHouse = async (sql) => {
    asked.push(sql);
    if (!sql.startsWith("CHECK GRANT ")) return "alice";
    return pattern.test(sql) ? "0" : "1";
  };
  return ask;
}

const of = { holder: "recorder", database: "p" } as const;

test("where nothing is missing, each grant is asked for once", async () => {
  const asked: string[] = [];

  const missing = await missingGrants(clickhouseWithout(/^$/, asked), of);

  expect(missing).toEqual([]);
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked).toContain("CHECK GRANT INSERT ON p.events");
});

test("what is missing is told as the statements that grant it, one for each privilege", async () => {
  const missing = await missingGrants(
    clickhouseWithout(/INSERT ON p.attempts|ALTER DELETE.* ON p.events_mend/),
    of,
  );

  expect(missing).toEqual([
    "GRANT INSERT ON p.attempts TO alice",
    "GRANT ALTER DELETE ON p.events_mend_* TO alice",
  ]);
});

test("a ClickHouse that does not know CHECK GRANT tells nothing, and another error is not hidden", async () => {
  const failing = (code: string): AskClickHouse => {
    return async () => {
      throw Object.assign(new Error("no"), { code });
    };
  };

  expect(await missingGrants(failing("62"), of)).toBe(null);
  await expect(missingGrants(failing("516"), of)).rejects.toThrow("no");
});

test("the check logs once what is missing, and asks until nothing is", async () => {
  let pattern = /INSERT ON p.attempts/;
  const logged: unknown[] = [];
  const check = createGrantsCheck({
    ...of,
    ask: (sql) => clickhouseWithout(pattern)(sql),
    log: { error: (event, fields) => void logged.push(event, fields) },
  });

  await check.look();
  await check.look();

  expect(check.lack()).toContain("GRANT INSERT ON p.attempts TO alice");
  expect(logged).toMatchObject([
    "clickhouse.grantsMissing",
    { toMend: ["GRANT INSERT ON p.attempts TO alice"] },
  ]);

  pattern = /^$/;
  await check.look();

  expect(check.lack()).toBe(null);
});
