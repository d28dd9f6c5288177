import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { visibleText } from "./visible-text.ts";

test.each([
  ["a right-to-left override", "a\u202eb", "a⟨U+202E⟩b"],
  ["an isolate", "\u2067x\u2069", "⟨U+2067⟩x⟨U+2069⟩"],
  ["an escape of a terminal", "\u001b[31mred", "⟨U+001B⟩[31mred"],
  ["a character without width", "pay\u200bpal", "pay⟨U+200B⟩pal"],
  ["a lone carriage return", "a\rb", "a⟨U+000D⟩b"],
  ["a line separator", "a\u2028b", "a⟨U+2028⟩b"],
])("%s is shown by its number", (_, text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test.each(["<script>alert(1)</script>", "Grüße, 世界 👋🏽", "a\n\tb", "שלום"])(
  "%j stays as it is",
  (text) => {
    expect(visibleText(text)).toBe(text);
  },
);

test("line ends of Windows are line ends", () => {
  expect(visibleText("a\r\nb")).toBe("a\nb");
});

test("whatever is shown has no control character and no mark of direction", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = visibleText(text).replaceAll(/[\t\n]/g, "");

      expect(shown).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    }),
  );
});
