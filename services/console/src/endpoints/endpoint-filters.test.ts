import { expect, test } from "@jest/globals";
import {
  countOf,
  endpointSearch,
  namedEndpoint,
  withFilters,
} from "./endpoint-filters.ts";

test("what is in the URL and is no filter is dropped", () => {
  const search = endpointSearch({
    state: "paused",
    text: " example ",
    tenantId: " ",
    limit: "9",
    eventType: 3,
  });

  expect(search).toEqual({ state: "paused", text: "example" });
  expect(countOf(search)).toBe(2);
});

test("another filter begins at the first page, and an empty one removes it", () => {
  const search = { state: "paused", text: "example", cursor: "abc" };

  expect(withFilters(search, { text: "", tenantId: "acme" })).toEqual({
    state: "paused",
    tenantId: "acme",
  });
});

test.each([
  ["ep_-G1g1IH4ROO53XhlifGkarGF", "ep_-G1g1IH4ROO53XhlifGkarGF"],
  ["ep_G1", null],
  ["example.com/ep_-G1g1IH4ROO53XhlifGkarGF", null],
])("%j names the endpoint %j", (text, id) => {
  expect(namedEndpoint(text)).toBe(id);
});
