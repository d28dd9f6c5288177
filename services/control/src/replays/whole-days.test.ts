import { expect, test } from "@jest/globals";
import { ControlProblem } from "../http/problem.ts";
import { createWholeDays, forTenants, MOST_WHOLE_DAYS } from "./whole-days.ts";

const TABLE = { engine_full: "MergeTree ORDER BY id TTL a + b SETTINGS x = 1" };

/** What a reader throws where ClickHouse refuses with this code. */
const refusal = (code: string): ControlProblem =>
  new ControlProblem("clickhouse_unavailable", "at 10.0.0.7 it is full", {
    cause: { code },
  });

function wholeDaysWhere(error: Error) {
  const warned: string[] = [];
  const select = async <Row>(sql: string): Promise<Row[]> => {
    if (!sql.includes("system.tables")) throw error;
    return [TABLE as Row];
  };
  const log = { warn: (event: string) => void warned.push(event) };
  return { ask: createWholeDays(select, log), warned };
}

test.each(["47", "43", "386"])(
  "a TTL that is no time of receipt (code %s) is told, and takes no day away",
  async (code) => {
    const { ask, warned } = wholeDaysWhere(refusal(code));

    expect(await ask()).toBe(MOST_WHOLE_DAYS);
    expect(warned).toEqual(["replay.ttlNotRead"]);
  },
);

test.each(["241", "159", "394", "202"])(
  "where ClickHouse refuses for another reason (code %s) it is not known how many days are whole",
  async (code) => {
    const error = refusal(code);
    const { ask, warned } = wholeDaysWhere(error);

    await expect(ask()).rejects.toBe(error);
    expect(warned).toEqual([]);
  },
);

test("a tenant is not told ClickHouse's words", async () => {
  const { ask } = wholeDaysWhere(refusal("516"));

  await expect(forTenants(ask)()).rejects.toMatchObject({
    code: "clickhouse_unavailable",
    message: "ClickHouse does not answer. Ask again later.",
  });
});
