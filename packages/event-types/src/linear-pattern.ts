/** Patterns as RE2 has them: matching takes time in proportion to the text, whatever the pattern. JavaScript's own may take for ever. */
import { RE2JS } from "re2js";
import type { Steps } from "./steps.ts";

const MAX_PATTERN_LENGTH = 512;
/** Instructions of the compiled pattern; `(a{30}){30}` has 900. */
const MAX_PATTERN_SIZE = 1_000;
/** How much of a step one instruction at one character is. */
const STEPS_EACH = 1 / 16;

/** Why a pattern may not be used; null if it may. */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `must be at most ${MAX_PATTERN_LENGTH} characters`;
  let size: number;
  try {
    size = compiled(pattern).programSize();
  } catch {
    return "is not a pattern of RE2: no look-around, no back-references";
  }
  return size > MAX_PATTERN_SIZE
    ? "repeats too much: write its counts smaller"
    : null;
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
