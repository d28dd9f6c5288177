import { expect, test } from "@jest/globals";
import { ADMIN_CALLER, ProblemError } from "@postrider/http";
import { auditPage, parseAuditQuery, type AuditRow } from "./audit-list.ts";
import { ownTenant } from "../http/callers-tenant.ts";

const NOW = Date.UTC(2026, 10, 29, 12);
const parse = (query: object, tenantId: string | null = null) => {
  const caller = { ...ADMIN_CALLER, tenantId };
  return parseAuditQuery(ownTenant({ query, caller }), NOW);
};

function aRow(fields: Partial<AuditRow> = {}): AuditRow {
  return {
    at_ms: NOW,
    actor: "admin",
    tenant_id: "acme",
    subject: "endpoint",
    subject_id: "ep_1",
    action: "paused",
    why: "ticket 7",
    detail: '{"state":{"from":"enabled","to":"paused"}}',
    request_id: "req-7",
    log_partition: 3,
    log_offset: 41,
    ...fields,
  };
}

test("without parameters, everything is asked for", () => {
  expect(parse({})).toEqual({
    subject: "",
    subjectId: "",
    actor: "",
    tenant: "",
    action: "",
    since: 0,
    until: expect.any(Number),
    limit: 100,
    before: expect.any(Object),
  });
  expect(parse({}).until).toBeGreaterThan(NOW);
});

test.each([
  ["6h", NOW - 6 * 3_600_000],
  ["2026-11-28T00:00:00Z", Date.UTC(2026, 10, 28)],
  [String(NOW - 5), NOW - 5],
])("since may be %s", (since, at) => {
  expect(parse({ since }).since).toBe(at);
});

test.each<[string, object, string, string]>([
  ["another subject", { subject: "tenant" }, "subject", "one_of"],
  ["an action that nobody records", { action: "nope" }, "action", "one_of"],
  ["no time", { since: "yesterday" }, "since", "time"],
  ["a time before all times", { until: "-5" }, "until", "time"],
  ["a window that ends first", { since: "1h", until: "2h" }, "since", "before"],
  ["too many", { limit: "1001" }, "limit", "max"],
  ["a cursor of its own", { cursor: "abc" }, "cursor", "cursor"],
  ["an unknown parameter", { who: "me" }, "who", "unknown"],
])("%s is refused by field and rule", (_what, query, field, rule) => {
  const refusal = (): unknown => {
    try {
      return parse(query);
    } catch (error) {
      return error;
    }
  };

  expect(refusal()).toBeInstanceOf(ProblemError);
  expect(refusal()).toMatchObject({ errors: [{ field, rule }] });
});

test("a caller with a tenant asks for its tenant's records, whatever it says", () => {
  expect(parse({}, "acme").tenant).toBe("acme");
  expect(parse({ tenantId: "acme" }, "acme").tenant).toBe("acme");
  expect(() => parse({ tenantId: "other" }, "acme")).toThrow("tenant");
  expect(parse({ tenantId: "other" }).tenant).toBe("other");
});

test("a page has its rows as the API shows them; the cursor of a full one asks for what is older", () => {
  const rows = [aRow(), aRow({ tenant_id: "", log_offset: 40 }), aRow()];

  const page = auditPage(rows, 2);

  expect(page.entries).toMatchObject([
    {
      at: "2026-11-29T12:00:00.000Z",
      tenantId: "acme",
      subjectId: "ep_1",
      detail: { state: { from: "enabled", to: "paused" } },
      requestId: "req-7",
    },
    { tenantId: null },
  ]);
  expect(parse({ cursor: page.nextCursor }).before).toEqual({
    at: NOW,
    partition: 3,
    offset: 40,
  });
  expect(auditPage(rows, 3).nextCursor).toBeNull();
});

test("a detail that is no JSON is shown as it is, and hides no other record", () => {
  const page = auditPage([aRow({ detail: "{" }), aRow()], 10);

  expect(page.entries.map(({ detail }) => detail)).toEqual([
    "{",
    { state: { from: "enabled", to: "paused" } },
  ]);
});
