/** Ways through an expression as @bufbuild/cel parses it: the tree of the CEL specification, cel/expr/syntax.proto. */
import type {
  Expr,
  Expr_Comprehension,
} from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";

export type { Expr, Expr_Comprehension };

/** A loop over a list or the keys of a map: what exists, all, map and filter are made into. */
export type Loop = Required<
  Pick<
    Expr_Comprehension,
    "iterRange" | "accuInit" | "loopCondition" | "loopStep" | "result"
  >
> &
  Expr_Comprehension;

/** An expression's own parts, but for those of a loop. */
export function partsOf({ exprKind }: Expr): readonly Expr[] {
  switch (exprKind.case) {
    case "selectExpr":
      return present([exprKind.value.operand]);
    case "callExpr":
      return present([exprKind.value.target, ...exprKind.value.args]);
    case "listExpr":
      return exprKind.value.elements;
    case "structExpr":
      return present(
        exprKind.value.entries.flatMap(({ keyKind, value }) => [
          keyKind.case === "mapKey" ? keyKind.value : undefined,
          value,
        ]),
      );
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } =
        exprKind.value;
      return present([iterRange, accuInit, loopCondition, loopStep, result]);
    }
    case "identExpr":
    case "constExpr":
    case undefined:
      return [];
  }
}

function present(parts: readonly (Expr | undefined)[]): readonly Expr[] {
  return parts.filter((part) => part !== undefined);
}

export function countOf(expression: Expr): number {
  let count = 1;
  for (const part of partsOf(expression)) count += countOf(part);
  return count;
}

export function callOf(id: bigint, name: string, args: readonly Expr[]): Expr {
  return {
    $typeName: "cel.expr.Expr",
    id,
    exprKind: {
      case: "callExpr",
      value: {
        $typeName: "cel.expr.Expr.Call",
        function: name,
        args: [...args],
      },
    },
  };
}

export function integerOf(id: bigint, value: number): Expr {
  return {
    $typeName: "cel.expr.Expr",
    id,
    exprKind: {
      case: "constExpr",
      value: {
        $typeName: "cel.expr.Constant",
        constantKind: { case: "int64Value", value: BigInt(value) },
      },
    },
  };
}
