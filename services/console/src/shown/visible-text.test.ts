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
  ["a next line of C1", "a\u0085b", "a⟨U+0085⟩b"],
  ["a filler of Hangul", "a\u3164b", "a⟨U+3164⟩b"],
  ["a joiner of graphemes", "a\u034fb", "a⟨U+034F⟩b"],
  ["a variation selector", "a\ufe0fb\u{e0101}", "a⟨U+FE0F⟩b⟨U+E0101⟩"],
  ["a tag", "\u{e0001}\u{e0041}", "⟨U+E0001⟩⟨U+E0041⟩"],
  ["a note between lines", "\ufff9a\ufffb", "⟨U+FFF9⟩a⟨U+FFFB⟩"],
  ["an Arabic mark of direction", "\u061c", "⟨U+061C⟩"],
  ["what is behind an emoji", "❤️\ufe0f\u200d", "❤️⟨U+FE0F⟩⟨U+200D⟩"],
  ["a tag behind a flag", "🏴\u{e0067}x", "🏴⟨U+E0067⟩x"],
])("%s is shown by its number", (_, text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test.each([
  "<script>alert(1)</script>",
  "Grüße, 世界 👋🏽",
  "a\n\tb",
  "dlv_0123456789 #*",
  "שלום",
  "👩🏽‍💻 👨‍👩‍👧 ❤️ 1️⃣ 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏳️‍🌈",
])("%j stays as it is", (text) => {
  expect(visibleText(text)).toBe(text);
});

test("line ends of Windows are line ends", () => {
  expect(visibleText("a\r\nb")).toBe("a\nb");
});

test("whatever is shown has no control character, no mark of direction and nothing that a font leaves out, but in emoji", () => {
  const invisible = fc
    .integer({ min: 0, max: 0x10_ff_ff })
    .map((code) => String.fromCodePoint(code))
    .filter((each) => /\p{Default_Ignorable_Code_Point}|\p{Cc}/u.test(each));
  const unit = fc.oneof(fc.string({ unit: "binary", maxLength: 1 }), invisible);
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const shown = visibleText(text).replaceAll(/[\t\n]|\p{RGI_Emoji}/gv, "");

      expect(shown).not.toMatch(
        /\p{Cc}|\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}/u,
      );
    }),
  );
});
