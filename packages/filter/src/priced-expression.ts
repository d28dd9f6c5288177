/**
 * Makes an expression count its own steps. Each turn of a loop costs as many as the loop's body has parts, so that nested loops multiply;
 * a list or map that is looped over, and each argument that a call reads from end to end, costs what its size is. What is left is then of
 * bounded size, and costs no steps: an expression has few parts.
 *
 * The tree is CEL's own, and what is added are calls of functions that no expression can name, as `@` begins no name.
 */
import {
  callOf,
  countOf,
  integerOf,
  type Expr,
  type Expr_Comprehension,
} from "./expression.ts";
import { FUNCTIONS, type Price } from "./functions.ts";

export function pricedExpression(expression: Expr): Expr {
  const { id, exprKind } = expression;
  const priced = (part: Expr | undefined) => part && pricedExpression(part);
  switch (exprKind.case) {
    case "identExpr":
    case "constExpr":
    case undefined:
      return expression;
    case "selectExpr": {
      const operand = priced(exprKind.value.operand);
      return {
        ...expression,
        exprKind: { ...exprKind, value: { ...exprKind.value, operand } },
      };
    }
    case "callExpr":
      return pricedCall(expression);
    case "listExpr": {
      const elements = exprKind.value.elements.map(pricedExpression);
      return {
        ...expression,
        exprKind: { ...exprKind, value: { ...exprKind.value, elements } },
      };
    }
    case "structExpr": {
      const entries = exprKind.value.entries.map((entry) => ({
        ...entry,
        keyKind:
          entry.keyKind.case === "mapKey"
            ? {
                ...entry.keyKind,
                value: pricedExpression(entry.keyKind.value),
              }
            : entry.keyKind,
        value: priced(entry.value),
      }));
      return {
        ...expression,
        exprKind: { ...exprKind, value: { ...exprKind.value, entries } },
      };
    }
    case "comprehensionExpr":
      return {
        ...expression,
        exprKind: { ...exprKind, value: pricedLoop(id, exprKind.value) },
      };
  }
}

function pricedCall(expression: Expr): Expr {
  const { id, exprKind } = expression;
  if (exprKind.case !== "callExpr") return expression;
  const { function: name, target, args } = exprKind.value;
  const prices = FUNCTIONS.get(name)?.prices ?? [];
  const given = target === undefined ? args : [target, ...args];
  const paid = given.map((part, at) =>
    isFree(prices[at] ?? null, given, at)
      ? pricedExpression(part)
      : callOf(id, prices[at] ?? "", [pricedExpression(part)]),
  );
  const [first, ...others] = paid;
  return {
    ...expression,
    exprKind: {
      ...exprKind,
      value:
        target === undefined
          ? { ...exprKind.value, args: paid }
          : { ...exprKind.value, target: first, args: others },
    },
  };
}

/** A constant is as short as the expression, but to convert it takes as long. A key that is a text is found at once. */
function isFree(
  price: Price | null,
  given: readonly Expr[],
  at: number,
): boolean {
  if (price === null) return true;
  if (given[at]?.exprKind.case === "constExpr") return price !== "@short";
  const key = price === "@keyed" ? given[1]?.exprKind : undefined;
  return (
    key?.case === "constExpr" && key.value.constantKind.case === "stringValue"
  );
}

function pricedLoop(id: bigint, loop: Expr_Comprehension): Expr_Comprehension {
  const { iterRange, accuInit, loopCondition, loopStep, result } = loop;
  // The parser makes all five; the planner refuses a loop without one.
  if (!iterRange || !accuInit || !loopCondition || !loopStep || !result)
    return loop;
  const turn = countOf(loopCondition) + countOf(loopStep);
  const makesList = accuInit.exprKind.case === "listExpr";
  const step = pricedExpression(loopStep);
  return {
    ...loop,
    iterRange: callOf(id, "@range", [pricedExpression(iterRange)]),
    accuInit: makesList ? callOf(id, "@list", []) : pricedExpression(accuInit),
    loopCondition: callOf(id, "_&&_", [
      callOf(id, "@turn", [integerOf(id, turn)]),
      pricedExpression(loopCondition),
    ]),
    loopStep: makesList ? appending(step, loop.accuVar) : step,
    result: pricedExpression(result),
  };
}

/** `result + [element]`, as map and filter are made into, copies the list at each turn, or chains lists. Here it is appended to instead. */
function appending(step: Expr, accuVar: string): Expr {
  const { id, exprKind } = step;
  if (exprKind.case !== "callExpr") return step;
  const { function: name, args } = exprKind.value;
  if (name === "_?_:_")
    return callOf(
      id,
      name,
      args.map((part, at) => (at === 0 ? part : appending(part, accuVar))),
    );
  const [list, element] = args;
  if (name !== "_+_" || !list || !element) return step;
  const inside = withoutPrice(list);
  return inside.exprKind.case === "identExpr" &&
    inside.exprKind.value.name === accuVar
    ? callOf(id, "@append", [inside, withoutPrice(element)])
    : step;
}

function withoutPrice(expression: Expr): Expr {
  const { exprKind } = expression;
  const isPaid =
    exprKind.case === "callExpr" && exprKind.value.function === "@text";
  return (isPaid ? exprKind.value.args[0] : undefined) ?? expression;
}
