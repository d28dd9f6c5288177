/** What is found wrong with an expression before it is ever evaluated: names, functions, size, and that it can be true or false. */
import { partsOf, type Expr } from "./expression.ts";
import { EVENT_FIELDS } from "./filter-subject.ts";
import type { FilterProblem } from "./filter-problem.ts";
import { FUNCTIONS, HINTS, shownName, TYPE_NAMES } from "./functions.ts";

/** Parts of an expression: names, values, operators, calls, and those that the macros are made into. */
const MAX_PARTS = 500;
const MAX_DEPTH = 50;
const NAMES: readonly string[] = ["event", "payload"];

/** A problem, and the part of the expression that has it. */
export interface FoundProblem {
  readonly rule: Exclude<FilterProblem["rule"], "max_bytes" | "syntax">;
  readonly message: string;
  readonly id: bigint;
}

export interface Checked {
  /** The first one found; null: none. */
  readonly problem: FoundProblem | null;
  readonly readsPayload: boolean;
}

export function checkExpression(expression: Expr): Checked {
  const walk = new Walk();
  try {
    walk.visit(expression, { depth: 0, variables: new Set() });
    walk.requireBool(expression);
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    return { problem: error.problem, readsPayload: walk.readsPayload };
  }
  return { problem: null, readsPayload: walk.readsPayload };
}

class Found extends Error {
  override readonly name = "Found";
  readonly problem: FoundProblem;

  constructor(
    rule: FoundProblem["rule"],
    { id }: Pick<Expr, "id">,
    message: string,
  ) {
    super(message);
    this.problem = { rule, message, id };
  }
}

interface Around {
  readonly depth: number;
  /** Of the loops around it. */
  readonly variables: ReadonlySet<string>;
}

class Walk {
  readsPayload = false;
  #parts = 0;

  visit(expression: Expr, around: Around): void {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS)
      throw new Found("size", expression, `more than ${MAX_PARTS} parts`);
    if (around.depth > MAX_DEPTH)
      throw new Found("size", expression, `nested deeper than ${MAX_DEPTH}`);
    const { exprKind } = expression;
    const inside = { ...around, depth: around.depth + 1 };
    switch (exprKind.case) {
      case "identExpr":
        this.#name(expression, exprKind.value.name, around);
        return;
      case "selectExpr":
        requireEventField(expression, around);
        break;
      case "callExpr":
        requireFunction(expression);
        break;
      case "structExpr":
        if (exprKind.value.messageName !== "")
          throw new Found(
            "function",
            expression,
            `unknown type ${exprKind.value.messageName}`,
          );
        if (exprKind.value.entries.some(({ optionalEntry }) => optionalEntry))
          throw new Found("function", expression, "no optional entries");
        break;
      case "listExpr":
        if (exprKind.value.optionalIndices.length > 0)
          throw new Found("function", expression, "no optional elements");
        break;
      case "comprehensionExpr": {
        const { iterRange, iterVar, accuVar, accuInit, ...rest } =
          exprKind.value;
        if (NAMES.includes(iterVar))
          throw new Found(
            "name",
            expression,
            `${iterVar} is what a filter knows: give the variable another name`,
          );
        for (const part of [iterRange, accuInit])
          if (part !== undefined) this.visit(part, inside);
        const variables = new Set([...around.variables, iterVar, accuVar]);
        for (const part of [rest.loopCondition, rest.loopStep, rest.result])
          if (part !== undefined) this.visit(part, { ...inside, variables });
        return;
      }
      case "constExpr":
        return;
      case undefined:
        throw new Found("function", expression, "not an expression");
    }
    for (const part of partsOf(expression)) this.visit(part, inside);
  }

  #name(expression: Expr, name: string, { variables }: Around): void {
    if (name === "payload" && !variables.has(name)) this.readsPayload = true;
    if (NAMES.includes(name) || variables.has(name) || TYPE_NAMES.has(name))
      return;
    throw new Found(
      "name",
      expression,
      `unknown name ${name}; a filter knows event and payload`,
    );
  }

  requireBool(expression: Expr): void {
    if (!canBeBool(expression))
      throw new Found(
        "type",
        expression,
        "the result is never true or false: compare it with something",
      );
  }
}

/** `event` has few fields, all known: a wrong one would fail with every event. */
function requireEventField(expression: Expr, { variables }: Around): void {
  if (expression.exprKind.case !== "selectExpr") return;
  const { operand, field } = expression.exprKind.value;
  const isEvent =
    operand?.exprKind.case === "identExpr" &&
    operand.exprKind.value.name === "event" &&
    !variables.has("event");
  if (isEvent && !EVENT_FIELDS.some((each) => each === field))
    throw new Found(
      "name",
      expression,
      `event has no field ${field}, but ${EVENT_FIELDS.join(", ")}`,
    );
}

function requireFunction(expression: Expr): void {
  if (expression.exprKind.case !== "callExpr") return;
  const { function: name, target, args } = expression.exprKind.value;
  const allowed = FUNCTIONS.get(name);
  if (allowed === undefined) {
    throw new Found(
      "function",
      expression,
      HINTS.get(name) ?? `unknown function ${shownName(name)}`,
    );
  }
  const counts = target === undefined ? allowed.called : allowed.method;
  if (counts.includes(args.length)) return;
  throw new Found(
    "function",
    expression,
    counts.length === 0
      ? `${shownName(name)} is written ${target === undefined ? `x.${name}(…)` : `${name}(x)`}`
      : `${shownName(name)} takes ${counts.join(" or ")} arguments, not ${args.length}`,
  );
}

function canBeBool({ exprKind }: Expr): boolean {
  switch (exprKind.case) {
    case "constExpr":
      return exprKind.value.constantKind.case === "boolValue";
    case "listExpr":
    case "structExpr":
      return false;
    case "identExpr":
      // The whole event and the whole payload; a payload may be `true`.
      return exprKind.value.name === "payload";
    case "callExpr": {
      const { function: name, args } = exprKind.value;
      if (name === "_?_:_") return args.slice(1).some(canBeBool);
      return FUNCTIONS.get(name)?.isBool ?? false;
    }
    case "comprehensionExpr":
      // Of map and filter the result is a list.
      return exprKind.value.accuInit?.exprKind.case !== "listExpr";
    case "selectExpr":
    case undefined:
      return true;
  }
}
