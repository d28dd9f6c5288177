import { expect, test } from "@jest/globals";
import { readParameters } from "./read-parameters.ts";
import { asked, type SavedQuery } from "./saved-query.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const QUERY: SavedQuery = {
  name: "a-query",
  title: "What?",
  description: "This.",
  parameters: {
    ...asked("1d"),
    endpoint: { type: "String", default: null, description: "the endpoint" },
    target: {
      type: "Float64",
      default: "0.9",
      description: "a share",
      range: [0, 1],
    },
  },
  sql: "SELECT 1",
};

test("what is not given has its default", () => {
  expect(readParameters(QUERY, { endpoint: "ep_1" }, NOW)).toEqual({
    kind: "read",
    values: {
      since: new Date(NOW - 86_400_000),
      until: new Date(NOW),
      tenant: "",
      limit: 20,
      endpoint: "ep_1",
      target: 0.9,
    },
  });
});

test.each([
  ["6h", NOW - 6 * 3_600_000],
  ["15m", NOW - 15 * 60_000],
  ["2026-11-27T10:00:00Z", Date.UTC(2026, 10, 27, 10)],
  ["2026-11-27T10:00:00.250+02:00", Date.UTC(2026, 10, 27, 8, 0, 0, 250)],
  ["1795000000000", 1_795_000_000_000],
])("the time %s is read", (since, at) => {
  const read = readParameters(QUERY, { endpoint: "e", since }, NOW);

  expect(read).toMatchObject({ values: { since: new Date(at) } });
});

test.each([
  [{ endpoint: "e", sinse: "6h" }, "sinse", "unknown"],
  [{}, "endpoint", "required"],
  [{ endpoint: "" }, "endpoint", "required"],
  [{ endpoint: ["a", "b"] }, "endpoint", "once"],
  [{ endpoint: "e".repeat(300) }, "endpoint", "max"],
  [{ endpoint: "e", since: "yesterday" }, "since", "time"],
  [{ endpoint: "e", since: "2026-11-27" }, "since", "time"],
  [{ endpoint: "e", since: "" }, "since", "time"],
  [{ endpoint: "e", since: "1h", until: "2h" }, "since", "before"],
  [{ endpoint: "e", since: "now" }, "since", "before"],
  [{ endpoint: "e", limit: "many" }, "limit", "number"],
  [{ endpoint: "e", limit: "1e3" }, "limit", "number"],
  [{ endpoint: "e", limit: "-1" }, "limit", "number"],
  [{ endpoint: "e", limit: "0" }, "limit", "min"],
  [{ endpoint: "e", limit: "10001" }, "limit", "max"],
  [{ endpoint: "e", target: "0.9.9" }, "target", "number"],
  [{ endpoint: "e", target: "1.5" }, "target", "max"],
])("%j is refused: %s %s", (given, field, rule) => {
  expect(readParameters(QUERY, given, NOW)).toMatchObject({
    kind: "wrong",
    problems: [{ field, rule }],
  });
});

test("every wrong parameter is named at once, and an unknown one gets the list of those that there are", () => {
  const read = readParameters(QUERY, { limit: "x", tenantId: "acme" }, NOW);

  expect(read).toMatchObject({
    problems: [
      {
        field: "tenantId",
        message:
          "is not a parameter of a-query; it has since, until, tenant, limit, endpoint, target",
      },
      { field: "limit", message: "must be a whole number" },
      { field: "endpoint", message: "is required: the endpoint" },
    ],
  });
});
