/** Every query of every dashboard over ClickHouse on a real one, as a user who may only read, against what the records themselves say. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { aSignal, useStack } from "@postrider/testkit";
import { dataSetFrom } from "./cookbook/data-set.ts";
import { count, kinds } from "./cookbook/figures.ts";
import { NOISE, noiseOf } from "./cookbook/noise.ts";
import { HOUR } from "./cookbook/receivers.ts";
import { startRecorder, type Recorder } from "./cookbook/recorded.ts";
import { dataSetStart } from "./cookbook/scopes.ts";
import { CLICKHOUSE_BOARDS } from "./dashboards/boards.ts";
import { expandSql, type Asked } from "./dashboards/expand.ts";
import { runSql, type SqlAnswer } from "./dashboards/run-sql.ts";

const stack = useStack();
const data = dataSetFrom(dataSetStart(Date.now()));
let recorder: Recorder;

const down = { endpointId: "ep_down", tenantId: "initech" };
const SIGNALS = [
  aSignal({ ...down, kind: "breaker_opened", at: data.from + 21 * HOUR }),
  aSignal({ ...down, kind: "breaker_closed", at: data.from + 26 * HOUR }),
  aSignal({
    ...down,
    kind: "breaker_opened",
    at: data.from + 44 * HOUR,
    detail: "5 of the last 5 attempts failed",
  }),
  aSignal({
    endpointId: "ep_gone",
    tenantId: "globex",
    at: data.from + 30 * HOUR,
  }),
];

beforeAll(async () => {
  recorder = await startRecorder(stack.clickhouseUrl, stack.database);
  await recorder.record(data);
  await recorder.record({ signals: SIGNALS });
}, 120_000);
afterAll(() => recorder.close());

interface Query {
  readonly board: string;
  readonly title: string;
  readonly sql: string;
  readonly isSeries: boolean;
}

const PANELS: readonly Query[] = CLICKHOUSE_BOARDS.flatMap(({ name, board }) =>
  board.panels.flatMap(({ title, targets }) =>
    targets.map(({ rawSql = "", format }) => ({
      board: name,
      title,
      sql: rawSql,
      isSeries: format === 0,
    })),
  ),
);
const VARIABLES: readonly Query[] = CLICKHOUSE_BOARDS.flatMap(
  ({ name, board }) =>
    board.templating.list
      .filter(({ type }) => type === "query")
      .map((variable) => ({
        board: name,
        title: variable.name,
        sql: String(variable.query),
        isSeries: false,
      })),
);

const EVERYTHING: Asked = {
  from: data.from,
  to: data.until,
  intervalSeconds: 900,
  picked: {},
};
const ONE_TENANT = { ...EVERYTHING, picked: { tenant: ["initech"] } };
const ONE_OF_EACH = {
  ...EVERYTHING,
  picked: { tenant: ["initech"], endpoint: ["ep_down"], type: ["order.paid"] },
};

function run(sql: string, asked: Asked = EVERYTHING): Promise<SqlAnswer> {
  const { clickhouseUrl: url, database } = stack;
  return runSql({ url, database }, expandSql(sql, asked));
}

async function answerOf(
  title: string,
  asked: Asked = EVERYTHING,
): Promise<SqlAnswer["rows"]> {
  const panel = PANELS.find((each) => each.title === title);
  if (panel === undefined) throw new Error(`no panel ${title}`);
  return (await run(panel.sql, asked)).rows;
}

/** The sums of the last column, by the one before it. */
function sums(rows: SqlAnswer["rows"]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const row of rows)
    found[String(row.at(-2))] =
      (found[String(row.at(-2))] ?? 0) + Number(row.at(-1));
  return found;
}

function counts<T>(
  of: readonly T[],
  key: (each: T) => string,
): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(of, key)].map(([name, group]) => [name, group.length]),
  );
}

test("there is a dashboard over ClickHouse", () => {
  expect(CLICKHOUSE_BOARDS.map(({ name }) => name)).toEqual([
    "postrider-deliveries.json",
  ]);
});

test.each(PANELS)(
  "$title has rows, in the form that it shows",
  async (panel) => {
    const { columns, rows } = await run(panel.sql);

    expect(rows).not.toEqual([]);
    expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
    if (!panel.isSeries) return;
    const [time, ...rest] = columns;
    const isText = ({ type }: { readonly type: string }): boolean =>
      type.includes("String");
    const times = rows.map(([at]) => String(at));
    expect(time).toMatchObject({
      name: "time",
      type: expect.stringMatching(/^DateTime/),
    });
    expect(times).toEqual(times.toSorted());
    expect(rest.filter(isText).length).toBeLessThanOrEqual(1);
    for (const { type } of rest.filter((each) => !isText(each)))
      expect(type).toMatch(/^(Nullable\()?(U?Int|Float)/);
  },
);

test.each(VARIABLES)("the variable $title has values", async ({ sql }) => {
  const { columns, rows } = await run(sql);

  expect(columns).toHaveLength(1);
  expect(rows.length).toBeGreaterThan(2);
  expect(new Set(rows.flat()).size).toBe(rows.length);
});

test("the endpoints to choose from are those of the picked tenant", async () => {
  const { sql } = VARIABLES.find(({ title }) => title === "endpoint")!;

  const { rows } = await run(sql, ONE_TENANT);

  expect(rows.flat()).toEqual(["ep_down", "ep_paused"]);
});

test.each(PANELS)("$title obeys what is picked", async ({ sql }) => {
  const { columns, rows } = await run(sql, ONE_OF_EACH);

  const valuesOf = (column: string): unknown[] => {
    const at = columns.findIndex(({ name }) => name === column);
    return at === -1 ? [] : rows.map((row) => row[at]);
  };
  expect(valuesOf("tenant_id").every((value) => value === "initech")).toBe(
    true,
  );
  expect(valuesOf("endpoint_id").every((value) => value === "ep_down")).toBe(
    true,
  );
});

test("the deliveries are those of the records", async () => {
  const of = data.deliveries;
  const delivered = count(of, ({ status }) => status === "delivered");
  const expired = count(of, ({ status }) => status === "expired");

  const [row] = await answerOf(
    "Deliveries of the events that came in, as they stand",
  );

  expect(row?.map(Number)).toEqual([
    of.length,
    delivered,
    of.length - delivered - expired,
    expired,
    delivered / of.length,
  ]);
  expect(
    sums(await answerOf("Deliveries by when their event came in")),
  ).toEqual(counts(of, ({ status }) => status));
});

test("picked values narrow them down", async () => {
  const of = data.deliveries.filter(
    ({ endpointId, eventType }) =>
      endpointId === "ep_down" && eventType === "order.paid",
  );

  const [row] = await answerOf(
    "Deliveries of the events that came in, as they stand",
    ONE_OF_EACH,
  );

  expect(Number(row?.[0])).toBe(of.length);
});

test("attempts, deferrals and dead letters are those of the records", async () => {
  const isIn = (at: number): boolean => at <= data.until;
  const rows = data.attempts.filter(({ startedAt }) => isIn(startedAt));
  const letters = data.deadLetters.filter(({ deadAt }) => isIn(deadAt));

  expect(sums(await answerOf("Attempts by outcome"))).toEqual(
    counts(
      rows.filter(({ attemptNumber }) => attemptNumber > 0),
      ({ outcome }) => outcome ?? "",
    ),
  );
  expect(sums(await answerOf("Deferrals by reason"))).toEqual(
    counts(
      rows.filter(({ attemptNumber }) => attemptNumber === 0),
      ({ deferralReason }) => deferralReason ?? "",
    ),
  );
  expect(sums(await answerOf("Dead letters by reason"))).toEqual(
    counts(letters, ({ reason }) => reason),
  );
  const causes = await answerOf("Dead letters by cause");
  expect(
    causes.reduce((total, [, , , , letter]) => total + Number(letter), 0),
  ).toBe(letters.length);
});

test("an endpoint's row says what became of its deliveries", async () => {
  const rows = await answerOf(
    "Endpoints, those with the most deliveries first",
  );

  const of = data.deliveries.filter(
    ({ endpointId }) => endpointId === "ep_gone",
  );
  const row = rows.find(([, endpointId]) => endpointId === "ep_gone");
  expect(rows).toHaveLength(kinds(data.deliveries, (each) => each.endpointId));
  expect(row?.slice(0, 6)).toEqual([
    "globex",
    "ep_gone",
    of.length,
    count(of, ({ status }) => status === "delivered"),
    count(of, ({ status }) => status === "pending" || status === "failed"),
    count(of, ({ status }) => status === "expired"),
  ]);
});

test("the worst endpoint is the one that never succeeds", async () => {
  const [worst] = await answerOf("Worst endpoints");

  expect(worst?.slice(0, 2)).toEqual(["globex", "ep_gone"]);
  expect(worst?.[4]).toBe(100);
});

test("what waits is told with why", async () => {
  const waiting = data.deliveries.filter(
    ({ status }) => status === "pending" || status === "failed",
  );
  // A deferral after an attempt shows only where its record says what that attempt showed; here none does.
  const whyOf = (each: (typeof waiting)[number]): string =>
    each.deadLetterReason || (each.attempts > 0 ? "retry" : each.waitsFor);

  const rows = await answerOf("What waits, and why");

  expect(sums(rows.map(([, , why, n]) => [why!, n!]))).toEqual(
    counts(waiting, whyOf),
  );
});

test("breakers that opened are told, with the newest detail", async () => {
  const rows = await answerOf("Breakers that opened");
  const changes = await answerOf("Changes in endpoints' health");

  expect(rows.map((row) => [...row.slice(0, 4), row[5]])).toEqual([
    ["initech", "ep_down", 2, 1, "5 of the last 5 attempts failed"],
  ]);
  expect(sums(changes)).toEqual({
    breaker_opened: 2,
    breaker_closed: 1,
    gone: 1,
  });
});

test("long ranges have every attempt once, by whole hours", async () => {
  const asked = { ...EVERYTHING, intervalSeconds: 5_000 };
  const attempts = data.attempts.filter(
    ({ attemptNumber }) => attemptNumber > 0,
  );

  const rows = await answerOf("Long ranges: attempts", asked);

  expect(
    rows.reduce((sum, [, good, bad]) => sum + Number(good) + Number(bad), 0),
  ).toBe(attempts.length);
  for (const [time] of rows) expect(time).toMatch(/ \d\d:00:00$/);
});

const ALL = [...PANELS, ...VARIABLES];

test(
  "a past week of a busy tenant is recorded",
  () => recorder.record(noiseOf(data, 7 * 24 * HOUR)),
  60_000,
);

test.each(ALL)("$title reads nothing of another week", async ({ sql }) => {
  const { readRows } = await run(sql);

  expect(readRows).toBeLessThan(NOISE / 2);
});

test(
  "the same days of a busy tenant are recorded",
  () => recorder.record(noiseOf(data, 0)),
  60_000,
);

test.each(ALL.filter(({ title }) => title !== "tenant"))(
  "$title of a tenant reads nothing of the others' rows",
  async ({ sql }) => {
    const { readRows } = await run(sql, ONE_TENANT);

    expect(readRows).toBeLessThan(NOISE / 2);
  },
);
