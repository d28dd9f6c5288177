/**
 * Texts of others as they can be shown: a response, a header, a name. React never makes HTML of a text; what is left to do here is that no
 * character hides, turns the order of what is around it, or moves the cursor.
 */

/**
 * What has no look of its own, by Unicode's properties: control characters but for tab and line feed, separators of lines, marks of
 * direction, notes between lines, and whatever a font may leave out, such as characters without width, variation selectors and tags.
 */
const HIDDEN = String.raw`[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]--[\t\n]]`;

/**
 * Some emoji are made with such characters. Those that Unicode lists as a whole stay, so nothing else hides in them. Whether a text is
 * one of these thousands is asked only where an emoji begins: it takes 100 times as long as all else.
 */
const HIDDEN_OR_EMOJI = new RegExp(
  String.raw`(${HIDDEN})|(?=\p{Emoji})\p{RGI_Emoji}`,
  "gv",
);

/** Nothing of it hides. Most texts are such, ids above all; and each of their digits could begin an emoji. */
const PLAIN = /^[\t\n -~]*$/;

/** Each hidden character becomes its number in brackets: `⟨U+202E⟩`. */
export function visibleText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(HIDDEN_OR_EMOJI, (found, hidden?: string) =>
      hidden === undefined ? found : numberOf(hidden),
    );
}

function numberOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
