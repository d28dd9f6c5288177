import { expect, test } from "@jest/globals";
import { type Endpoint, fanOut } from "./index.ts";

const endpoint = (id: string, over: Partial<Endpoint> = {}): Endpoint => ({
  id,
  externalId: null,
  tenantId: "acme",
  url: "https://example.com/",
  description: "",
  eventTypes: ["*"],
  filter: null,
  state: "enabled",
  stateReason: null,
  secrets: [],
  method: "POST",
  headers: {},
  sealedHeaders: {},
  timeoutMs: 15_000,
  maxConcurrency: 16,
  rateLimit: null,
  retryDelaysMs: null,
  maxAttempts: null,
  maxAgeMs: null,
  signing: ["standard"],
  notRetryableStatuses: [],
  version: 1,
  createdAt: 0,
  updatedAt: 0,
  ...over,
});

test("of the endpoints that want the type, enabled and paused ones get a delivery, disabled ones are listed; the tenant's others are counted", () => {
  const wanting = [
    endpoint("a"),
    endpoint("d", { state: "paused" }),
    endpoint("e", { state: "disabled" }),
  ];

  const result = fanOut(wanting, 7);

  expect(result.sent.map(({ id }) => id)).toEqual(["a", "d"]);
  expect(result.pausedIds).toEqual(["d"]);
  expect(result.disabledIds).toEqual(["e"]);
  expect(result.noMatchCount).toBe(4);
});

test("without endpoints nobody gets the event", () => {
  expect(fanOut([], 0)).toEqual({
    sent: [],
    pausedIds: [],
    disabledIds: [],
    noMatchCount: 0,
    hasFilters: false,
  });
});

test.each([
  [null, "enabled", false],
  ["true", "enabled", true],
  ["true", "paused", true],
  ["true", "disabled", false],
])(
  "with the filter %s, where the endpoint is %s, somebody's filter is to be asked: %s",
  (filter, state, hasFilters) => {
    const result = fanOut([endpoint("a", { filter, state }), endpoint("b")], 2);

    expect(result.hasFilters).toBe(hasFilters);
  },
);

test("where there are filters, the order in which they are asked is that of the ids", () => {
  const wanting = ["c", "a", "b"].map((id) => endpoint(id, { filter: "true" }));

  const { sent } = fanOut(wanting, 3);

  expect(sent.map(({ id }) => id)).toEqual(["a", "b", "c"]);
});
