import { expect, test } from "@jest/globals";
import { breakerQuestion, breakersIn } from "./breakers.ts";

const page = [
  { id: "ep_ok", tenantId: "acme" },
  { id: "ep_down", tenantId: "acme" },
  { id: "ep_idle", tenantId: "globex" },
  { id: "ep_other", tenantId: "globex" },
];
const group = (key: string, delivered: number) =>
  [key, { key, attempts: 3, delivered }] as const;

/** An answer in which one breaker is open. */
function answered(truncated: boolean) {
  const columns = ["endpoint_id", "still_open"].map((name) => ({
    name,
    type: "",
  }));
  return { columns, rows: [["ep_down", 1]], truncated, elapsedMs: 1 };
}

test("nothing is asked of endpoints whose attempts all succeeded, or that had none", () => {
  const attempts = new Map([group("ep_ok", 3), group("ep_down", 3)]);

  expect(breakerQuestion(page, attempts)).toBeNull();
  expect(breakersIn(undefined, attempts)("ep_ok")).toBeNull();
  expect(breakersIn(undefined, attempts)("ep_idle")).toBeNull();
});

test("the tenant of those that failed is asked for, with the rows of a page", () => {
  const attempts = new Map([group("ep_ok", 3), group("ep_down", 1)]);

  expect(breakerQuestion(page, attempts)).toEqual({
    since: "1d",
    limit: "100",
    tenant: "acme",
  });
  expect(
    breakerQuestion(page, new Map([...attempts, group("ep_other", 0)])),
  ).toEqual({ since: "1d", limit: "100" });
});

test("all of them are asked for where their attempts are not to be had", () => {
  expect(breakerQuestion(page.slice(0, 1), undefined)).toMatchObject({
    tenant: "acme",
  });
  expect(breakersIn(undefined, undefined)("ep_ok")).toBeUndefined();
});

test("who is not in an answer that is cut off is not taken for closed", () => {
  const attempts = new Map([group("ep_down", 0), group("ep_other", 1)]);

  expect(breakersIn(answered(false), attempts)("ep_down")).toMatchObject({
    still_open: 1,
  });
  expect(breakersIn(answered(false), attempts)("ep_other")).toBeNull();
  expect(breakersIn(answered(true), attempts)("ep_other")).toBeUndefined();
});
