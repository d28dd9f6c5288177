import { expect, test } from "@jest/globals";
import { actionOf, isTypedInto, type KeyAction } from "./keys.ts";

/** What a row of key presses does. */
function actionsOf(
  keys: readonly string[],
  how: {
    readonly isTyping?: boolean;
    readonly isModified?: boolean;
    readonly isCommand?: boolean;
  } = {},
): readonly KeyAction[] {
  let isAfterG = false;
  return keys.flatMap((key) => {
    const next = actionOf(
      { key, isTyping: false, isModified: false, isCommand: false, ...how },
      isAfterG,
    );
    ({ isAfterG } = next);
    return next.action ?? [];
  });
}

test.each([
  [["/"], ["search"]],
  [["?"], ["help"]],
  [
    ["j", "j", "k"],
    ["next", "next", "previous"],
  ],
  [["g", "d", "d"], ["go d"]],
  [
    ["g", "j", "j"],
    ["go j", "next"],
  ],
  [["d", "constructor"], []],
])("%j does %j", (keys, actions) => {
  expect(actionsOf(keys)).toEqual(actions);
});

test("a key that is typed into a field, or has Ctrl with it, does nothing here", () => {
  expect(actionsOf(["/", "j"], { isTyping: true })).toEqual([]);
  expect(actionsOf(["/", "j"], { isModified: true })).toEqual([]);
});

test("Ctrl+K opens the palette, also from a field, and no other key does", () => {
  const how = { isTyping: true, isModified: true, isCommand: true };

  expect(actionsOf(["k", "K", "j"], how)).toEqual(["palette", "palette"]);
  expect(actionsOf(["k"], { isModified: true })).toEqual([]);
});

test.each([
  ["INPUT", "text", true],
  ["INPUT", "password", true],
  ["INPUT", "datetime-local", true],
  ["INPUT", "checkbox", false],
  ["INPUT", "radio", false],
  ["TEXTAREA", "textarea", true],
  ["SELECT", "select-one", true],
  ["BUTTON", "button", false],
  ["A", undefined, false],
])("%s %s takes what is typed: %s", (tagName, type, isTyped) => {
  expect(
    isTypedInto({ tagName, ...(type && { type }), isContentEditable: false }),
  ).toBe(isTyped);
});

test("whatever can be edited takes what is typed", () => {
  expect(isTypedInto({ tagName: "DIV", isContentEditable: true })).toBe(true);
});
