/** `GET /v1/audit` over rows of a real ClickHouse: their order, their pages, and whose they are. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ADMIN_CALLER } from "@postrider/http";
import {
  execute,
  rowsOf as answerTo,
  testEffects,
  useStack,
} from "@postrider/testkit";
import { auditPage, parseAuditQuery, type AuditPage } from "./audit-list.ts";
import { rowsOf } from "./audit-routes.ts";
import { createReader } from "./reader.ts";
import { ownTenant } from "../http/callers-tenant.ts";

const stack = useStack();
const NOW = Date.now();
const reader = createReader({
  ...testEffects(),
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
  detail: "{}",
  request_id: `req-${n}`,
  log_partition: n % 4 < 2 ? 9 : 10,
  log_offset: n,
}));

beforeAll(async () => {
  const file = new URL(
    "../../../recorder/migrations/0008_audit.sql",
    import.meta.url,
  );
  const sql = readFileSync(file, "utf8")
    .replaceAll("{database}", stack.database)
    .replaceAll(/^\s*--.*$/gm, "")
    .replace(/;\s*$/, "");
  await execute(stack.clickhouseUrl, sql);
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

async function pageOf(
  query: Readonly<Record<string, string>>,
  tenantId: string | null = null,
): Promise<AuditPage> {
  const caller = { ...ADMIN_CALLER, tenantId };
  const asked = parseAuditQuery(ownTenant({ query, caller }), NOW);
  return auditPage(await rowsOf(reader, asked), asked.limit);
}

async function pagesOf(limit: number, tenantId: string | null = null) {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const query = { limit: String(limit), ...(cursor !== null && { cursor }) };
    const page: AuditPage = await pageOf(query, tenantId);
    ids.push(...page.entries.map(({ requestId }) => requestId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return ids;
}

const NEWEST_FIRST = ROWS.toSorted(
  (a, b) =>
    b.at - a.at ||
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

test("a caller with a tenant pages through that tenant's rows alone, never those of none", async () => {
  for (const tenant of ["acme", "globex"])
    expect(await pagesOf(3, tenant)).toEqual(
      NEWEST_FIRST.filter(({ tenant_id }) => tenant_id === tenant).map(
        ({ request_id }) => request_id,
      ),
    );
});

test("a cursor that somebody made up is a place like any other", async () => {
  const at = (text: string) => Buffer.from(text).toString("base64url");
  const far = "999999999999999/999999999/999999999999999";

  expect((await pageOf({ cursor: at(far) })).entries).toHaveLength(24);
  expect((await pageOf({ cursor: at("0/0/0") })).entries).toEqual([]);
});
