import { expect, test } from "@jest/globals";
import { ADMIN_CALLER, ProblemError } from "@postrider/http";
import { causeOf } from "./cause.ts";

/** As node hands a header over that was sent as UTF-8. */
const sent = (text: string): string => Buffer.from(text).toString("latin1");
const requestWith = (reason?: string) => ({
  caller: ADMIN_CALLER,
  id: "req-7",
  headers: reason === undefined ? {} : { "x-audit-reason": reason },
});

test("the cause of a change is the caller's key, its reason and the request", () => {
  expect(
    causeOf(requestWith(sent(" ticket 4711: Überlast — später "))),
  ).toEqual({
    actor: "admin",
    why: "ticket 4711: Überlast — später",
    requestId: "req-7",
  });
});

test.each([[undefined], [""], [" "]])(
  "where the header is %j, another reason of the request stands",
  (reason) => {
    expect(causeOf(requestWith(reason)).why).toBe("");
    expect(causeOf(requestWith(reason), "by hand").why).toBe("by hand");
  },
);

test("the longest reason has 500 characters", () => {
  expect(causeOf(requestWith(sent("ü".repeat(500)))).why).toHaveLength(500);
});

test.each([
  ["is longer", sent("x".repeat(501)), "max"],
  ["is not UTF-8", "\xff", "utf8"],
  ["holds a control character", sent("a\tb\u0085"), "printable"],
])("a reason that %s is refused by its rule", (_what, reason, rule) => {
  const refusal = (): unknown => {
    try {
      return causeOf(requestWith(reason));
    } catch (error) {
      return error;
    }
  };

  expect(refusal()).toBeInstanceOf(ProblemError);
  expect(refusal()).toMatchObject({
    status: 400,
    errors: [{ field: "x-audit-reason", rule }],
  });
});
