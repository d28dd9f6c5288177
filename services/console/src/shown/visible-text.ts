/**
 * Texts of others as they can be shown: a response, a header, a name. React never makes HTML of a text; what is left to do here is that no
 * character hides, turns the order of what is around it, or moves the cursor.
 */

/** Control characters but for tab and line feed, marks of direction, and characters without width. */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/** Each hidden character becomes its number in brackets: `⟨U+202E⟩`. */
export function visibleText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(HIDDEN, numberOf);
}

function numberOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
