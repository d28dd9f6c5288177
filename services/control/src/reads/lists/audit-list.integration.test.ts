/** `GET /v1/audit` over rows of a real ClickHouse: their order, their pages, and whose they are. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  execute,
  rowsOf as answerTo,
  testEffects,
  useStack,
} from "@postrider/testkit";
import { migrateFor } from "../../../fixtures/migrated.ts";
import { readAsked } from "../../http/list-parameters.ts";
import { createReader } from "../reader.ts";
import { AUDIT, auditConditions, auditQuery } from "./audit-list.ts";
import { readPage } from "./read-page.ts";

const stack = useStack();
const NOW = Date.now();
const effects = testEffects();
const reader = createReader({
  ...effects,
  url: stack.clickhouseUrl,
  database: stack.database,
  queryTimeoutMs: 10_000,
});
afterAll(async () => await reader.stop(0));

/** Of three tenants, 24 changes in the same two milliseconds, from two partitions. */
const ROWS = Array.from({ length: 24 }, (_, n) => ({
  tenant_id: ["acme", "globex", ""][n % 3],
  at: NOW + (n % 2),
  actor: "admin",
  subject: "endpoint",
  subject_id: `ep_${n % 5}`,
  action: "changed",
  why: "",
  detail: n === 5 ? "{" : `{"n":${n}}`,
  request_id: `req-${n}`,
  log_partition: n % 4 < 2 ? 9 : 10,
  log_offset: n,
}));

beforeAll(async () => {
  await migrateFor(stack, ["0008_audit.sql"]);
  const lines = ROWS.map((row) => JSON.stringify(row)).join("\n");
  // Twice, as after a repeat whose token was forgotten; not merged.
  await execute(
    stack.clickhouseUrl,
    `SYSTEM STOP MERGES ${stack.database}.audit`,
  );
  for (const token of ["first", "again"])
    await execute(
      stack.clickhouseUrl,
      `INSERT INTO ${stack.database}.audit SETTINGS async_insert=0, insert_deduplication_token='${token}' FORMAT JSONEachRow\n${lines}`,
    );
  expect(
    await answerTo(
      stack.clickhouseUrl,
      `SELECT toUInt32(count()) AS rows FROM ${stack.database}.audit`,
    ),
  ).toEqual([{ rows: 48 }]);
});

async function pageOf(query: Readonly<Record<string, string>>) {
  const asked = readAsked(auditQuery, query, NOW + 60_000);
  return await readPage(
    AUDIT,
    { ...asked, conditions: auditConditions(asked) },
    {
      reading: reader,
      clock: effects.clock,
      gone: new AbortController().signal,
    },
  );
}

async function pagesOf(limit: number, tenantId?: string) {
  const ids: unknown[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof pageOf>> = await pageOf({
      limit: String(limit),
      ...(tenantId !== undefined && { tenantId }),
      ...(cursor !== null && { cursor }),
    });
    ids.push(...page.rows.map(({ requestId }) => requestId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return ids;
}

const NEWEST_FIRST = ROWS.toSorted(
  (a, b) =>
    b.at - a.at ||
    (a.subject_id === b.subject_id
      ? 0
      : a.subject_id < b.subject_id
        ? 1
        : -1) ||
    b.log_partition - a.log_partition ||
    b.log_offset - a.log_offset,
);

test.each([[1], [5], [24], [1_000]])(
  "pages of %i show each row once and in order, though times are equal and rows were inserted twice",
  async (limit) => {
    expect(await pagesOf(limit)).toEqual(
      NEWEST_FIRST.map(({ request_id }) => request_id),
    );
  },
);

test("pages of one tenant have that tenant's rows alone, never those of none", async () => {
  for (const tenant of ["acme", "globex"])
    expect(await pagesOf(3, tenant)).toEqual(
      NEWEST_FIRST.filter(({ tenant_id }) => tenant_id === tenant).map(
        ({ request_id }) => request_id,
      ),
    );
});

test("an entry is shown with its detail as JSON, or as it is where it is none, and a tenant that is none as null", async () => {
  const { rows } = await pageOf({ subjectId: "ep_0,ep_1", actor: "key_1" });
  expect(rows).toEqual([]);

  const one = await pageOf({ subjectId: "ep_2", limit: "1" });
  expect(one.rows).toEqual([
    {
      at: new Date(NOW + 1).toISOString(),
      actor: "admin",
      tenantId: "globex",
      subject: "endpoint",
      subjectId: "ep_2",
      action: "changed",
      why: "",
      detail: { n: 7 },
      requestId: "req-7",
    },
  ]);
  const all = await pageOf({ subjectId: "ep_2" });
  expect(all.rows.map(({ tenantId }) => tenantId)).toContain(null);
  const broken = await pageOf({ subjectId: "ep_0", limit: "100" });
  expect(broken.rows.map(({ detail }) => detail)).toContain("{");
});

test.each([
  [{ action: "changed,paused", subject: "endpoint,key" }, 24],
  [{ action: "paused" }, 0],
  [{ subject: "key" }, 0],
  [{ actor: "admin", since: "1h" }, 24],
  [{ until: "1h" }, 0],
])("%j finds %i", async (query, count) => {
  expect((await pageOf(query)).rows).toHaveLength(count);
});

test.each<[object, string, string]>([
  [{ subject: "tenant" }, "subject", "one_of"],
  [{ action: "nope" }, "action", "one_of"],
  [{ since: "yesterday" }, "since", "time"],
  [{ since: "1h", until: "2h" }, "since", "before"],
  [{ limit: "1001" }, "limit", "max"],
  [{ who: "me" }, "who", "unknown"],
  [{ cursor: "abc" }, "cursor", "cursor"],
])("%j is refused: %s breaks %s", async (query, field, rule) => {
  await expect(
    pageOf(query as Readonly<Record<string, string>>),
  ).rejects.toMatchObject({ errors: [{ field, rule }] });
});
