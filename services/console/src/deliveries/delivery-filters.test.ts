import { expect, test } from "@jest/globals";
import {
  countOf,
  deliverySearch,
  namedDelivery,
  namedEvent,
  queryOf,
  toggled,
  withFilters,
} from "./delivery-filters.ts";

test("only what the API knows is taken from the URL, and nothing that is empty", () => {
  expect(
    deliverySearch({
      status: "failed",
      eventType: "  ",
      text: " reset ",
      limit: "5",
      cursor: "c",
      __proto__: "x",
      tenantId: 7,
    }),
  ).toEqual({ status: "failed", text: "reset", cursor: "c" });
});

test("another filter begins at the first page, and an empty one is removed", () => {
  expect(
    withFilters(
      { status: "failed", eventId: "e", cursor: "c" },
      { eventId: "", outcome: "timeout" },
    ),
  ).toEqual({ status: "failed", outcome: "timeout" });
});

test("neither a page nor Live is a filter", () => {
  expect(countOf({ cursor: "c", live: "1", since: "1h" })).toBe(1);
});

test("Live is on the first page alone, stays with other filters, and is nothing to ask the API for", () => {
  expect(deliverySearch({ live: "1" })).toEqual({ live: "1" });
  expect(deliverySearch({ live: "1", cursor: "c" })).toEqual({ cursor: "c" });
  expect(withFilters({ live: "1" }, { status: "failed" })).toEqual({
    live: "1",
    status: "failed",
  });
  expect(queryOf({ live: "1" })).toEqual({ limit: "50" });
});

test("the API is asked for a page of the search", () => {
  expect(queryOf({ status: "failed", cursor: "c" })).toEqual({
    status: "failed",
    cursor: "c",
    limit: "50",
  });
});

test("a word is added to those that are chosen, and taken away again", () => {
  expect(toggled(undefined, "failed")).toBe("failed");
  expect(toggled("failed", "expired")).toBe("failed,expired");
  expect(toggled("failed,expired", "failed")).toBe("expired");
  expect(toggled("failed", "failed")).toBe("");
});

test.each([
  [" dlv_i_IxHJcZuxp042eu7Q857GGa ", "dlv_i_IxHJcZuxp042eu7Q857GGa"],
  ["dlv_x y", null],
  ["ECONNRESET", null],
])("%j names the delivery %j", (text, id) => {
  expect(namedDelivery(text)).toBe(id);
});

test.each([
  [" evt_1001 ", "evt_1001"],
  ["evt-7:a.b", "evt-7:a.b"],
  ["evt 1", null],
  ["an evt_1", null],
])("%j names the event %j", (text, id) => {
  expect(namedEvent(text)).toBe(id);
});
