import { expect, test } from "@jest/globals";
import { fanOut } from "@postrider/core";
import { anEndpoint, anEvent } from "@postrider/testkit";
import type { ValidEvent } from "../valid-event.ts";
import { EndpointFilters } from "./endpoint-filters.ts";

const eventOf = (payload: string): ValidEvent => ({
  ...anEvent({ payload: new Uint8Array(Buffer.from(payload)) }),
  tenantId: "acme",
});

const withFilters = (...filters: (string | null)[]) =>
  fanOut(
    filters.map((filter, n) => anEndpoint({ id: `ep_${n}`, filter })),
    filters.length,
  );

function leftOut(payload: string, ...filters: (string | null)[]) {
  const results: string[] = [];
  const { sent, filteredIds, failedFilters } = new EndpointFilters((result) =>
    results.push(result),
  ).leaveOut(eventOf(payload), withFilters(...filters));
  return {
    sent: sent.map(({ id }) => id),
    filteredIds,
    failed: failedFilters.map(({ reason }) => reason),
    results,
  };
}

test("each filter is asked once, and counted by what it said", () => {
  expect(
    leftOut('{"a":1}', "payload.a == 1", null, "payload.a == 2", "payload.b"),
  ).toEqual({
    sent: ["ep_0", "ep_1"],
    filteredIds: ["ep_2", "ep_3"],
    failed: ["column 8, at `.b`: no such key"],
    results: ["passed", "filtered", "failed"],
  });
});

test("a payload that is no JSON fails the filters that read it, and no other", () => {
  const { sent, failed } = leftOut(
    "<order/>",
    "payload.a == 1",
    "event.type == 'order.paid'",
  );

  expect(sent).toEqual(["ep_1"]);
  expect(failed).toEqual(["the payload is not JSON: at character 1"]);
});

test("a filter that does not compile here is a skip, too", () => {
  const { sent, failed } = leftOut("{}", "payload.a ==", "true");

  expect(sent).toEqual(["ep_1"]);
  expect(failed).toEqual([expect.stringMatching(/^it is not valid: column/)]);
});

test("the filters of one event share a bound: those that it does not reach fail", () => {
  const list = JSON.stringify(Array.from({ length: 400 }, (_, n) => n));
  const dear = "payload.all(x, x >= 0)";
  const { sent, failed } = leftOut(list, ...Array<string>(100).fill(dear));

  expect(sent.length).toBeGreaterThan(10);
  expect(sent.length).toBeLessThan(100);
  expect(new Set(failed).size).toBeLessThanOrEqual(2);
  expect(failed.at(-1)).toBe(
    "the filters of this event take too many steps together",
  );
});

test("thousands of small filters are within that bound", () => {
  const { sent } = leftOut(
    '{"a":1}',
    ...Array<string>(5_000).fill("payload.a == 1"),
  );

  expect(sent).toHaveLength(5_000);
});
