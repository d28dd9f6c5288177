import { expect, test } from "@jest/globals";
import { type Endpoint, fanOut } from "./index.ts";

const endpoint = (id: string, over: Partial<Endpoint> = {}): Endpoint => ({
  id,
  externalId: null,
  tenantId: "acme",
  url: "https://example.com/",
  description: "",
  eventTypes: ["*"],
  state: "enabled",
  stateReason: null,
  secrets: [],
  headers: {},
  timeoutMs: 15_000,
  maxConcurrency: 16,
  retryDelaysMs: null,
  notRetryableStatuses: [],
  version: 1,
  createdAt: 0,
  updatedAt: 0,
  ...over,
});

test("enabled and paused endpoints that want the type are sent to, disabled ones only listed", () => {
  const result = fanOut("order.paid", [
    endpoint("a"),
    endpoint("b", { eventTypes: ["user.*", "order.*"] }),
    endpoint("c", { eventTypes: ["user.*"] }),
    endpoint("d", { state: "paused" }),
    endpoint("e", { state: "disabled" }),
    endpoint("f", { state: "disabled", eventTypes: ["user.*"] }),
    endpoint("g", { eventTypes: [] }),
  ]);

  expect(result.sent.map(({ id }) => id)).toEqual(["a", "b", "d"]);
  expect(result.pausedIds).toEqual(["d"]);
  expect(result.disabledIds).toEqual(["e"]);
  expect(result.noMatchCount).toBe(3);
});

test("no endpoints is nobody", () => {
  expect(fanOut("a", [])).toEqual({
    sent: [],
    pausedIds: [],
    disabledIds: [],
    noMatchCount: 0,
  });
});
