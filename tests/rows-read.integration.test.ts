/** How many rows ClickHouse reads for a list, on tables of several days with far more rows than a page has. Rows, not times. */
import { beforeAll, expect, test } from "@jest/globals";
import {
  anEndpoint,
  execute,
  rowsOf,
  useStack,
  waitFor,
} from "@postrider/testkit";
import type { QueryValues } from "../services/control/src/cookbook/read-parameters.ts";
import { withEndpointsTenant } from "../services/control/src/reads/endpoints-tenant.ts";
import {
  attemptConditions,
  ATTEMPTS,
} from "../services/control/src/reads/lists/attempt-list.ts";
import {
  deadLetterConditions,
  deadLettersOf,
  DEAD_LETTERS,
} from "../services/control/src/reads/lists/dead-letter-list.ts";
import {
  deliveryConditions,
  DELIVERIES,
} from "../services/control/src/reads/lists/delivery-list.ts";
import type { List } from "../services/control/src/reads/lists/list.ts";
import {
  readPage,
  type PageAsked,
} from "../services/control/src/reads/lists/read-page.ts";
import { createWriter } from "../services/recorder/src/clickhouse/writer.ts";
import { readMigrations } from "../services/recorder/src/migrate/migration-files.ts";
import { migrate } from "../services/recorder/src/migrate/migrate.ts";

const stack = useStack();
const DAY_MS = 86_400_000;
const DAYS = 6;
const PER_DAY = 100_000;
/** 18:00 of yesterday, UTC: how the windows cut the days, and with them how much is read, hangs on the time of the day. */
const NOW = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 4;

beforeAll(async () => {
  const { clickhouseUrl: url, database } = stack;
  const writer = createWriter({ url, database: "default" });
  await migrate({ sql: writer, database, migrations: readMigrations() });
  await writer.close();
  for (let day = 0; day < DAYS; day += 1) {
    const isLast = day === DAYS - 1;
    // Some of the last day wait for their next attempt, and a few of one tenant still of the first.
    const waits = isLast
      ? "number % 5000 = 15"
      : day === 0
        ? "number < 200 AND number % 40 = 25"
        : "0";
    const isMade = isLast ? "number % 5 = 0" : "1";
    const receivedAt = `fromUnixTimestamp64Milli(toInt64(${NOW - (DAYS - day) * DAY_MS} + intDiv(number * ${DAY_MS}, ${PER_DAY})))`;
    const of = `toString(number % 8) AS tenant_id, ${receivedAt} AS received_at, concat('dlv_', leftPad(toString(number), 6, '0'), '_${day}') AS delivery_id, concat('ep_', toString(number % 40)) AS endpoint_id, concat('evt_', toString(number), '_${day}') AS event_id, 'order.paid' AS event_type`;
    // As the recorder's views write them: each made, every tenth failed once, and then delivered unless it waits.
    for (const [status, version, where] of [
      ["pending", 0, "1"],
      ["failed", 65_537, "number % 10 = 5"],
      ["delivered", 3 * 65_536 + 3, `NOT (${waits})`],
    ] as const)
      await execute(
        url,
        `INSERT INTO ${database}.deliveries (tenant_id, received_at, delivery_id, endpoint_id, event_id, event_type, status, changed_at, version)
         SELECT ${of}, '${status}', received_at, ${version} FROM numbers(${PER_DAY}) WHERE ${isMade} AND ${where}`,
      );
    await execute(
      url,
      `INSERT INTO ${database}.attempts (tenant_id, endpoint_id, delivery_id, event_id, event_type, attempt_number, received_at, started_at, outcome)
       SELECT tenant_id, endpoint_id, delivery_id, event_id, event_type, arrayJoin(if(number % 10 = 5, [1, 2], [1])), received_at, received_at, 'delivered'
       FROM (SELECT number, ${of} FROM numbers(${PER_DAY}) WHERE ${isMade})`,
    );
  }
  // How much is read hangs on how far ClickHouse has merged, so it is all.
  await waitFor(() => merged(), { what: "the days to be merged" });
}, 180_000);

/** Merges the deliveries of each day into one part. ClickHouse leaves it out without a word where it is busy with others' merges. */
async function merged(): Promise<boolean> {
  const { clickhouseUrl: url, database } = stack;
  await execute(url, `OPTIMIZE TABLE ${database}.deliveries FINAL`);
  const [row] = await rowsOf<{ most: number }>(
    url,
    `SELECT toUInt32(max(parts)) AS most FROM (SELECT count() AS parts FROM system.parts WHERE database = '${database}' AND table = 'deliveries' AND active GROUP BY partition)`,
  );
  return row!.most === 1; // an aggregation has one row
}

/** The first page, as control reads it, and how many rows ClickHouse has read for it. */
async function firstPage(list: List, of: Partial<PageAsked>) {
  let [rowsRead, questions] = [0, 0];
  const asked = { since: null, until: null, limit: 100, conditions: [], ...of };
  const page = await readPage(list, asked, {
    // On a busy machine windows would widen more slowly, and be more, so that more granules are read twice.
    clock: { now: () => NOW, monotonic: () => 0 },
    gone: new AbortController().signal,
    reading: {
      async query(sql: string, _gone: AbortSignal, values: QueryValues = {}) {
        const limit = Number(values["limit"]);
        const answer = await askClickHouse(sql, {
          ...values,
          limit: limit + 1,
        });
        rowsRead += answer.rowsRead;
        questions += 1;
        const { rows } = answer;
        return {
          columns: [],
          rows: rows.slice(0, limit),
          truncated: rows.length > limit,
        };
      },
    },
  });
  return { ids: page.rows.map(({ id }) => id), page, rowsRead, questions };
}

async function askClickHouse(sql: string, values: QueryValues) {
  const url = new URL(stack.clickhouseUrl);
  const settings = {
    database: stack.database,
    do_not_merge_across_partitions_select_final: "1",
    output_format_json_quote_64bit_integers: "0",
    wait_end_of_query: "1", // the summary is of the whole query
  };
  for (const [name, value] of Object.entries(settings))
    url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(values))
    url.searchParams.set(
      `param_${name}`,
      Array.isArray(value) ? `['${value.join("', '")}']` : String(value),
    );
  const body = `${sql}\nFORMAT JSONCompactEachRow`;
  const answer = await fetch(url, { method: "POST", body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  const summary = answer.headers.get("x-clickhouse-summary") ?? "{}";
  const { read_rows } = JSON.parse(summary) as { read_rows: string }; // ClickHouse sends it with every answer
  return {
    rows: text.split("\n").filter((row) => row !== ""),
    rowsRead: Number(read_rows),
  };
}

async function count(of: string): Promise<number> {
  const sql = `SELECT toUInt32(count()) AS n FROM ${stack.database}.${of}`;
  const [row] = await rowsOf<{ n: number }>(stack.clickhouseUrl, sql);
  return row!.n; // an aggregation has one row
}

/** What the page must be, without windows and without an index. */
async function newest(where: string): Promise<string[]> {
  const rows = await rowsOf<{ id: string }>(
    stack.clickhouseUrl,
    `SELECT delivery_id AS id FROM (SELECT * FROM ${stack.database}.deliveries FINAL) WHERE ${where} ORDER BY received_at DESC, delivery_id DESC LIMIT 100 SETTINGS use_skip_indexes = 0`,
  );
  return rows.map(({ id }) => id);
}

test.each(["failed", "pending", "delivered", "expired"] as const)(
  "the deliveries of all tenants that are %s now are those, and the days that have none are hardly read",
  async (status) => {
    const expected = await newest(`status = '${status}'`);
    const rows = await count("deliveries");

    const { ids, rowsRead } = await firstPage(DELIVERIES, {
      conditions: deliveryConditions({ status: [status], limit: 100 }),
    });

    expect(ids).toEqual(expected);
    // Every row is in some window, and some granules are in several.
    expect(rowsRead).toBeLessThan(rows);
  },
);

test("whether dead letters of a tenant, an event or a delivery were delivered since is not looked for among the rows of others", async () => {
  const { clickhouseUrl: url, database } = stack;
  const at = `fromUnixTimestamp64Milli(${NOW - DAY_MS / 2})`;
  for (const [tenantId, letters] of [
    ["toString(number % 8)", 80_000],
    ["'small'", 3],
  ] as const)
    await execute(
      url,
      `INSERT INTO ${database}.dead_letters (tenant_id, endpoint_id, dead_at, delivery_id, event_id, event_type, received_at, reason)
       SELECT ${tenantId}, concat('ep_', toString(number % 40)), ${at} + number / 1000, concat('dlv_', ${tenantId}, toString(number)), concat('evt_', toString(number)), 'order.paid', ${at}, 'exhausted' FROM numbers(${letters})`,
    );
  for (const [of, letters] of [
    [{ tenantId: "small" }, 3],
    [{ eventId: "evt_1" }, 2],
    [{ deliveryId: "dlv_small1" }, 1],
  ] as const) {
    const asked = { ...of, limit: 100 };
    const conditions = deadLetterConditions(asked);

    const own = await firstPage(deadLettersOf(asked), { conditions });
    const all = await firstPage(DEAD_LETTERS, { conditions });

    expect(own.page.rows).toHaveLength(letters);
    expect(own.page.rows).toEqual(all.page.rows);
    expect(own.rowsRead).toBeLessThan(all.rowsRead / 2);
  }
});

const ENDPOINT = anEndpoint({ id: "ep_13", tenantId: "5" });

test.each([
  ["deliveries", DELIVERIES, deliveryConditions],
  ["attempts", ATTEMPTS, attemptConditions],
] as const)(
  "the %s of an endpoint are looked for among those of its tenant alone",
  async (_, list, conditionsOf) => {
    const asked = { endpointId: ENDPOINT.id, limit: 100 };
    const known = new Map([[ENDPOINT.id, ENDPOINT]]);

    const all = await firstPage(list, { conditions: conditionsOf(asked) });
    const own = await firstPage(list, {
      conditions: conditionsOf(withEndpointsTenant(asked, known)),
    });

    expect(own.page.rows).toEqual(all.page.rows);
    expect(own.page.rows).toHaveLength(100);
    // A granule has 8,192 rows, so a tenant's share of a day is never read alone.
    expect(own.rowsRead).toBeLessThan(0.75 * all.rowsRead);
  },
);

test.each([
  ["deliveries", DELIVERIES, deliveryConditions, 1],
  ["attempts", ATTEMPTS, attemptConditions, 2],
] as const)(
  "the %s of an event are found by its index, in one question",
  async (_, list, conditionsOf, rows) => {
    const conditions = conditionsOf({ eventId: "evt_50005_2", limit: 100 });

    const byWindows = await firstPage(list, {
      conditions: conditions.map((each) => ({ ...each, isRare: false })),
    });
    const { page, questions, rowsRead } = await firstPage(list, { conditions });

    expect(page).toEqual(byWindows.page);
    expect(page.rows).toHaveLength(rows);
    expect(questions).toBe(1);
    expect(rowsRead).toBeLessThan(byWindows.rowsRead);
  },
);
