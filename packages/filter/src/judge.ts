/** The evaluation of one filter for one event, within its steps. */
import { isCelError, isCelList, isCelMap, type CelError } from "@bufbuild/cel";
import type { plan } from "@bufbuild/cel";
import { placeIn } from "./filter-problem.ts";
import { shownName } from "./functions.ts";
import type { FilterSubject } from "./filter-subject.ts";
import type { Steps } from "./steps.ts";

/** What one filter may cost for one event: about a millisecond. It is enough to compare one field of each of some 400 elements. */
export const MAX_STEPS = 5_000;
/** What every evaluation costs, however little it does. */
const LEAST_STEPS = 10;

export type Judgement =
  | { readonly kind: "passed"; readonly steps: number }
  | { readonly kind: "filtered"; readonly steps: number }
  /** Neither true nor false. The reason quotes the expression, and no value of the event. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly steps: number;
    };

export interface Judging {
  readonly text: string;
  readonly evaluate: ReturnType<typeof plan>;
  readonly readsPayload: boolean;
  readonly steps: Steps;
  /** Where a part of the expression is, as an offset into the text. */
  readonly offsetOf: (id: bigint) => number | undefined;
}

/** Never throws. */
export function judge(
  filter: Judging,
  subject: FilterSubject,
  allowance: number,
): Judgement {
  const { steps, readsPayload } = filter;
  const allowed = Math.max(0, Math.min(allowance, MAX_STEPS));
  const bindings = { event: subject.event };
  if (readsPayload) {
    const { parsed } = subject;
    if (!parsed.ok)
      return { kind: "failed", reason: parsed.reason, steps: LEAST_STEPS };
    Object.assign(bindings, { payload: parsed.value });
  }
  steps.begin(allowed);
  const result = withoutStacks(() => filter.evaluate(bindings));
  const spent = Math.max(LEAST_STEPS, allowed - steps.left);
  if (steps.left < 0)
    return { kind: "failed", reason: TOO_MANY_STEPS, steps: spent };
  if (typeof result === "boolean")
    return { kind: result ? "passed" : "filtered", steps: spent };
  const reason = isCelError(result)
    ? reasonOf(result, filter)
    : `the result is ${kindOf(result)}, neither true nor false`;
  return { kind: "failed", reason, steps: spent };
}

/**
 * CEL's errors are values, and a loop may make and drop one at each turn: to collect its stack, which nobody reads, would take most of the
 * time. Nothing else runs meanwhile.
 */
function withoutStacks<T>(evaluate: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return evaluate();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

const TOO_MANY_STEPS =
  "it takes too many steps with this payload: loop over less, or compare less";

/** The library's own words, where they hold no value of the payload: a key may be one, and a text that is converted. */
const REASONS: readonly (readonly [RegExp, string | null])[] = [
  [/^(field not found|no such key|unresolved attribute)/i, "no such key"],
  [/^index .*out of/i, "no such element"],
  [/^type mismatch/, null],
  [/^found no matching overload/, null],
  [/overflow|out of range/i, "the number is out of range"],
  [/divi|modul/i, "division by zero"],
  [/^too long to be converted/, null],
];

function reasonOf(
  { message, exprId }: CelError,
  { text, offsetOf }: Judging,
): string {
  const found = REASONS.find(([pattern]) => pattern.test(message));
  const reason =
    found === undefined
      ? "it cannot be computed"
      : (found[1] ?? inOurWords(message));
  const offset = exprId === undefined ? undefined : offsetOf(exprId);
  return offset === undefined ? reason : `${placeIn(text, offset)}: ${reason}`;
}

/** `found no matching overload for '_>_' applied to '(string, int)'`: it names functions and types, and no value. */
function inOurWords(message: string): string {
  const [, name, types] =
    /^found no matching overload for '(.+)' applied to '(.+)'$/.exec(message) ??
    [];
  return name === undefined || types === undefined
    ? message
    : `${shownName(name)} does not go with ${types}`;
}

function kindOf(result: unknown): string {
  if (result === null) return "null";
  if (isCelList(result)) return "a list";
  if (isCelMap(result)) return "a map";
  if (typeof result === "string") return "a text";
  return typeof result === "bigint" || typeof result === "number"
    ? "a number"
    : "something else";
}
