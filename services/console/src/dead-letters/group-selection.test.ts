import { expect, test } from "@jest/globals";
import { selectionOf } from "./group-selection.ts";
import type { LetterGroup } from "./letter-groups.ts";

const group: LetterGroup = {
  key: "",
  tenantId: "acme",
  endpointId: "ep_1",
  reason: "exhausted",
  statusCode: 503,
  outcome: "http_error",
  letters: 3,
  open: 3,
  firstAt: "2026-11-28T11:00:00.000Z",
  lastAt: "2026-11-28T12:00:00.000Z",
  firstReceivedAt: "2026-11-28T10:00:00.000Z",
  lastReceivedAt: "2026-11-28T10:30:00.000Z",
};
const received = {
  receivedSince: "2026-11-28T10:00:00.000Z",
  receivedUntil: "2026-11-28T10:30:00.001Z",
};
const timeout = { ...group, statusCode: null, outcome: "timeout" };
const gone = { ...group, reason: "gone", statusCode: 410 };
const other = { ...group, endpointId: "ep_2" };

test("one group is selected by its endpoint, reason and status code, from its first event to its last", () => {
  expect(
    selectionOf([group], {
      all: [group, timeout, other],
      isCut: false,
      maySql: true,
    }),
  ).toEqual({
    tenantId: "acme",
    endpointId: "ep_1",
    reasons: ["exhausted"],
    statusCode: 503,
    ...received,
  });
});

test("all groups of some reasons of an endpoint are selected by these, whatever the status code", () => {
  expect(
    selectionOf([group, timeout, gone], {
      all: [group, timeout, gone, other],
      isCut: false,
      maySql: false,
    }),
  ).toEqual({
    tenantId: "acme",
    endpointId: "ep_1",
    reasons: ["exhausted", "gone"],
    ...received,
  });
});

test("a group that was delivered since is in nobody's way", () => {
  expect(
    selectionOf([timeout], {
      all: [timeout, { ...group, open: 0 }],
      isCut: false,
      maySql: false,
    }),
  ).toMatchObject({ reasons: ["exhausted"] });
});

test("where not all groups are shown, a reason may have others: fields alone say it with a status code only", () => {
  const of = { all: [group, gone], isCut: true, maySql: false };

  expect(selectionOf([group], of)).toMatchObject({ statusCode: 503 });
  expect(selectionOf([group, gone], of)).toBeNull();
  expect(selectionOf([group, gone], { ...of, maySql: true })).toHaveProperty(
    "sql",
  );
});

test.each([
  ["no status code, where the same reason has others", [timeout]],
  ["two endpoints", [group, other]],
])("what the fields cannot say is selected by SQL: %s", (_, chosen) => {
  const all = [group, timeout, other];

  const { sql, ...rest } =
    selectionOf(chosen, { all, isCut: false, maySql: true }) ?? {};

  expect(sql).toContain("SELECT delivery_id FROM dead_letters");
  expect(rest).toEqual(received);
  expect(selectionOf(chosen, { all, isCut: false, maySql: false })).toBeNull();
});

test("the SQL names each group and the times, and quotes what others have written", () => {
  const odd = { ...other, endpointId: String.raw`o'\dd`, statusCode: null };

  const { sql } = selectionOf([group, odd], {
    all: [group, odd],
    isCut: false,
    maySql: true,
  })!;

  expect(sql).toBe(String.raw`SELECT delivery_id FROM dead_letters
WHERE dead_at >= toDateTime64('2026-11-28 11:00:00.000', 3, 'UTC') AND dead_at <= toDateTime64('2026-11-28 12:00:00.000', 3, 'UTC')
  AND (endpoint_id, reason, ifNull(last_status_code, 0)) IN (('ep_1', 'exhausted', 503), ('o\'\\dd', 'exhausted', 0))`);
});
