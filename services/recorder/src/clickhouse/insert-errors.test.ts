import { expect, test } from "@jest/globals";
import { judgeInsertError } from "./insert-errors.ts";

const serverError = (code: string) =>
  Object.assign(new Error("Cannot read: 'card 4111' at row 7\nmore"), {
    code,
    type: "SOME_TYPE",
  });

test.each(["27", "41", "469", "25", "32"])("code %s is a bad value", (code) => {
  expect(judgeInsertError(serverError(code)).kind).toBe("refused");
});

test.each(["60", "16", "48", "53", "117", "164", "497", "516"])(
  "code %s waits for an operator",
  (code) => {
    expect(judgeInsertError(serverError(code))).toMatchObject({
      kind: "unavailable",
      needsOperator: true,
    });
  },
);

test.each([
  "159",
  "202",
  "203",
  "209",
  "210",
  "241",
  "242",
  "319",
  "999",
  "49",
])("code %s is tried again", (code) => {
  expect(judgeInsertError(serverError(code))).toMatchObject({
    kind: "unavailable",
    needsOperator: false,
  });
});

test("too many parts waits longer", () => {
  expect(judgeInsertError(serverError("252"))).toMatchObject({ waitMs: 5_000 });
});

test.each([
  Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("read"), { code: "ECONNRESET" }),
  new Error("Timeout error."),
  new Error("socket hang up"),
])("a broken connection is tried again: %s", (error) => {
  expect(judgeInsertError(error)).toMatchObject({
    kind: "unavailable",
    needsOperator: false,
  });
});

test.each(["27", "117", "252", "999"])(
  "what code %s quotes of a row is not repeated",
  (code) => {
    expect(JSON.stringify(judgeInsertError(serverError(code)))).not.toContain(
      "4111",
    );
  },
);
