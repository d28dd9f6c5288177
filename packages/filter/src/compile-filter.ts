import { parse, plan, type CelEnv } from "@bufbuild/cel";
import { checkExpression } from "./check-expression.ts";
import { createEnvironment } from "./environment.ts";
import { placeIn, type FilterProblem } from "./filter-problem.ts";
import type { FilterSubject } from "./filter-subject.ts";
import { judge, MAX_STEPS, type Judgement, type Judging } from "./judge.ts";
import { pricedExpression } from "./priced-expression.ts";
import { Steps } from "./steps.ts";

/** Of the expression in UTF-8. */
export const MAX_FILTER_BYTES = 2_048;
/** How deep brackets may be nested; the parser calls itself for each. */
const MAX_BRACKETS = 30;

/** An endpoint's filter, ready to be asked about any number of events. */
export interface CompiledFilter {
  readonly text: string;
  /** Whether its payload has to be parsed. */
  readonly readsPayload: boolean;
  /** Never throws. `allowance`: the steps that it may take, where fewer are left than `MAX_STEPS`. */
  judge(subject: FilterSubject, allowance?: number): Judgement;
}

export type FilterCompilation =
  | { readonly ok: true; readonly filter: CompiledFilter }
  | { readonly ok: false; readonly problem: FilterProblem };

/** Never throws. */
export function compileFilter(text: string): FilterCompilation {
  const problem = textProblem(text);
  if (problem !== null) return { ok: false, problem };
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(text);
  } catch (error) {
    return { ok: false, problem: syntaxProblem(text, error) };
  }
  const { expr, sourceInfo } = parsed;
  const offsetOf = (id: bigint) => sourceInfo?.positions[String(id)];
  // The parser gives an expression or throws.
  const checked = checkExpression(expr!);
  if (checked.problem !== null) {
    const { rule, message, id } = checked.problem;
    const place = placeIn(text, offsetOf(id) ?? 0);
    return { ok: false, problem: { rule, message: `${place}: ${message}` } };
  }
  const { environment, steps } = shared();
  const judging: Judging = {
    text,
    readsPayload: checked.readsPayload,
    evaluate: plan(environment, pricedExpression(expr!)),
    steps,
    offsetOf,
  };
  return {
    ok: true,
    filter: {
      text,
      readsPayload: checked.readsPayload,
      judge: (subject, allowance = MAX_STEPS) =>
        judge(judging, subject, allowance),
    },
  };
}

let made: { readonly environment: CelEnv; readonly steps: Steps } | undefined;

/** One for all filters: to make it takes longer than to evaluate most of them. */
function shared(): NonNullable<typeof made> {
  if (made === undefined) {
    const steps = new Steps();
    made = { environment: createEnvironment(steps), steps };
  }
  return made;
}

function textProblem(text: string): FilterProblem | null {
  if (text.trim() === "")
    return {
      rule: "syntax",
      message: "must be an expression; null is no filter",
    };
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_FILTER_BYTES)
    return {
      rule: "max_bytes",
      message: `must be at most ${MAX_FILTER_BYTES} bytes, and has ${bytes}`,
    };
  const tooDeep = deepestBracket(text);
  return tooDeep === undefined
    ? null
    : {
        rule: "size",
        message: `${placeIn(text, tooDeep)}: brackets nested deeper than ${MAX_BRACKETS}`,
      };
}

/** Where a bracket is nested too deep. Brackets in texts count, too: so many are in none. */
function deepestBracket(text: string): number | undefined {
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[([{}\])]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    if (depth > MAX_BRACKETS) return index;
  }
  return undefined;
}

function syntaxProblem(text: string, error: unknown): FilterProblem {
  // The parser's own words name what it had expected, which is often not what is missing.
  const { location } = error as {
    readonly location?: { readonly start: { readonly offset: number } };
  };
  const place = placeIn(text, location?.start.offset ?? 0);
  return { rule: "syntax", message: `${place}: cannot be read from here on` };
}
