/** Patterns as RE2 has them: matching takes time in proportion to the text, whatever the pattern. JavaScript's own may take for ever. */
import { RE2JS } from "re2js";
import type { Steps } from "./steps.ts";

const MAX_PATTERN_LENGTH = 512;
/** Instructions of the compiled pattern; `(a{30}){30}` has 900. */
const MAX_PATTERN_SIZE = 1_000;
/** How much of a step one instruction at one character is. */
const STEPS_EACH = 1 / 16;

/** The size of a pattern in instructions, or why it may not be used. */
export function readPattern(
  pattern: string,
):
  | { readonly problem: null; readonly size: number }
  | { readonly problem: string } {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return { problem: `must be at most ${MAX_PATTERN_LENGTH} characters` };
  try {
    const size = compiled(pattern).programSize();
    return size > MAX_PATTERN_SIZE
      ? { problem: "repeats too much: write its counts smaller" }
      : { problem: null, size };
  } catch {
    return {
      problem: "is not a pattern of RE2: no look-around, no back-references",
    };
  }
}

/** What ajv makes of a pattern instead of a `RegExp`. */
export function linearPatterns(steps: Steps) {
  const make = (pattern: string) => {
    const matcher = compiled(pattern);
    const each = matcher.programSize() * STEPS_EACH;
    return {
      test(text: string): boolean {
        steps.take(Math.ceil(text.length * each));
        return matcher.test(text);
      },
      // ajv keeps one matcher for each text of this kind.
      toString: () => pattern,
    };
  };
  // ajv writes this only into modules that it generates; there are none.
  return Object.assign(make, { code: "linearPatterns" });
}

function compiled(pattern: string): RE2JS {
  return RE2JS.compile(RE2JS.translateRegExp(pattern));
}
