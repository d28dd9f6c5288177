import { expect, test } from "@jest/globals";
import { groupsOf, whyNotSent } from "./letter-groups.ts";
import { groupsQuery, lettersQuery } from "./letter-filters.ts";

const names = [
  "tenant_id",
  "endpoint_id",
  "reason",
  "last_status_code",
  "letters",
  "open",
  "first_at",
  "last_at",
  "first_received_at",
  "last_received_at",
  "newest_outcome",
];
const columns = names.map((name) => ({ name }));
const at = "2026-11-28 04:53:37.420";

test("rows are read by the names of their columns; times get their zone", () => {
  const rows = [
    ["acme", "ep_1", "exhausted", 503, 4, 3, at, at, at, at, "http_error"],
    ["", "", "unreadable", null, 1, 1, at, at, null, null, ""],
  ];

  expect(groupsOf({ columns, rows, truncated: false })).toEqual([
    {
      key: '["acme","ep_1","exhausted",503]',
      tenantId: "acme",
      endpointId: "ep_1",
      reason: "exhausted",
      statusCode: 503,
      outcome: "http_error",
      letters: 4,
      open: 3,
      firstAt: "2026-11-28T04:53:37.420Z",
      lastAt: "2026-11-28T04:53:37.420Z",
      firstReceivedAt: "2026-11-28T04:53:37.420Z",
      lastReceivedAt: "2026-11-28T04:53:37.420Z",
    },
    expect.objectContaining({
      key: '["","","unreadable",null]',
      statusCode: null,
      outcome: null,
      firstReceivedAt: null,
    }),
  ]);
});

test.each([
  [{ endpointId: "ep_1", reason: "exhausted", open: 1 }, null],
  [{ endpointId: "ep_1", reason: "exhausted", open: 0 }, "delivered since"],
  [{ endpointId: "ep_1", reason: "paused", open: 1 }, "parked"],
  [{ endpointId: "", reason: "unreadable", open: 1 }, "never became"],
])("whether a replay sends %j", (group, why) => {
  const found = whyNotSent(group);

  if (why === null) expect(found).toBeNull();
  else expect(found).toContain(why);
});

test("the saved query is asked for a week where no time is given, and the list for what is open", () => {
  expect(groupsQuery({ tenantId: "acme", show: "all" })).toEqual({
    tenant: "acme",
    since: "7d",
    limit: "500",
  });
  expect(lettersQuery({ endpointId: "ep_1", statusCode: "none" })).toEqual({
    endpointId: "ep_1",
    statusCode: "none",
    since: "7d",
    open: "true",
    limit: "50",
  });
  expect(lettersQuery({ show: "all" }).open).toBeUndefined();
});
