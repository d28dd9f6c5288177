import { expect, test } from "@jest/globals";
import { isFiltered, systemSearch, withParameters } from "./system-search.ts";

test("each tab takes its own parameters, and nothing that is empty", () => {
  const given = { actor: "admin", tenantId: " acme ", since: " ", limit: "5" };

  expect(systemSearch({ ...given, tab: "audit" })).toEqual({
    tab: "audit",
    actor: "admin",
    tenantId: "acme",
  });
  expect(systemSearch({ ...given, tab: "keys" })).toEqual({
    tab: "keys",
    tenantId: "acme",
  });
});

test("without a tab, or with one that is unknown, it is the first", () => {
  expect(systemSearch({ tab: "services" })).toEqual({});
  expect(systemSearch({ tab: "of-tomorrow", cursor: "c" })).toEqual({});
});

test("another filter begins at the first page, with nothing open", () => {
  expect(
    withParameters(
      { tab: "audit", actor: "admin", cursor: "c", open: "o" },
      { actor: "", action: "created" },
    ),
  ).toEqual({ tab: "audit", action: "created" });
});

test("a page and an open row are no filters", () => {
  expect(isFiltered({ tab: "audit", cursor: "c", open: "o" })).toBe(false);
  expect(isFiltered({ tab: "audit", since: "1h" })).toBe(true);
});
