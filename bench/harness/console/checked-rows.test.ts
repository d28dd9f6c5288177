import { expect, test } from "@jest/globals";
import { checkDeliveries, checkOverview } from "./checked-rows.ts";
import type { FirstLoad } from "./first-load.ts";
import type { Shown } from "./watched-page.ts";

function aPageWith(...rows: readonly (readonly [string, string])[]): Shown {
  return { at: 1, rows, busy: 0, wasBusy: true, hasSignIn: false };
}

const answerOf = (...ids: readonly string[]): string =>
  JSON.stringify({ deliveries: ids.map((id) => ({ id })), nextCursor: null });

test("a list shows the deliveries of every answer, in their order", () => {
  const shown = aPageWith(
    ["#/deliveries/dlv_2", "order.paid"],
    ["#/deliveries/dlv_1", "order.paid"],
  );
  const check = (...texts: readonly string[]) =>
    checkDeliveries(shown, "status", texts);

  const right = answerOf("dlv_2", "dlv_1");
  expect(() => check(right, right)).not.toThrow();
  for (const other of [answerOf("dlv_1", "dlv_2"), answerOf("dlv_2")])
    expect(() => check(right, other)).toThrow(/^status: the page shows 2 rows/);
});

test("a list without rows is no measurement", () => {
  expect(() => checkDeliveries(aPageWith(), "status", [answerOf()])).toThrow(
    /0 rows/,
  );
});

test("the overview shows the sums of its own answer", () => {
  const text = JSON.stringify({
    columns: [{ name: "status" }, { name: "count" }],
    rows: [
      ["delivered", 1_000],
      ["delivered", 234],
      ["expired", 7],
    ],
  });
  const shown = aPageWith(
    ["#/deliveries?status=delivered", "✓ Delivered1,234"],
    ["#/deliveries?status=failed", "Failed, will retry0"],
    ["#/deliveries?status=pending", "Pending0"],
    ["#/deliveries?status=expired", "Given up7"],
    ["#/endpoints/ep_1", "ep_1"],
  );
  const load = (more: Partial<FirstLoad>): FirstLoad =>
    ({
      shown,
      answers: [{ path: "/v1/queries/delivery-states?since=1h", text }],
      ...more,
    }) as FirstLoad; // the rest is not looked at

  expect(() => checkOverview(load({}))).not.toThrow();
  expect(() => checkOverview(load({ answers: [] }))).toThrow(/asked no/);
  expect(() =>
    checkOverview(load({ shown: aPageWith(...shown.rows.slice(1)) })),
  ).toThrow(/and the API gives 1234,0,0,7/);
});
