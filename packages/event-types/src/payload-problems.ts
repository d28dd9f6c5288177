/** What ajv says of a payload, as problems that name the field and the rule. They never repeat a value of the payload, which may be secret. */
import { fewProblems, type Problem } from "@postrider/core";
import type { ErrorObject } from "ajv/dist/2020.js";

export const TOO_MANY_STEPS: Problem = {
  field: "payload",
  rule: "schema.steps",
  message: "takes too long to be checked by its type's schema",
};

/** More of them help nobody: each branch of an `anyOf` that does not fit has one. */
export const MOST_ERRORS = 5;

/** The last one is what decided, and comes first. */
export function payloadProblems(errors: readonly ErrorObject[]): Problem[] {
  return fewProblems(errors.slice(-MOST_ERRORS).toReversed().map(problemOf));
}

function problemOf(error: ErrorObject): Problem {
  const { instancePath, keyword, propertyName } = error;
  const [inner, message] = detailOf(error);
  // Of a name that `propertyNames` refuses the path is that of its object.
  const names = [propertyName, inner].filter((name) => name !== undefined);
  return {
    field: ["payload" + dotted(instancePath), ...names].join("."),
    rule: `schema.${keyword}`,
    message,
  };
}

/** The field below, if that is what is wrong, and what is. */
function detailOf({
  keyword,
  params,
  message = "does not fit",
}: ErrorObject): readonly [inner: string | undefined, message: string] {
  const text = (name: string): string => String(params[name]);
  switch (keyword) {
    case "required":
      return [text("missingProperty"), "is required"];
    case "dependentRequired":
      return [
        text("missingProperty"),
        `is required where there is ${text("property")}`,
      ];
    case "additionalProperties":
      return [
        text("additionalProperty"),
        "is not a field of the type's schema",
      ];
    case "false schema":
      return [undefined, "must not be there"];
    case "uniqueItems":
      return [undefined, "must not have equal items"];
    case "enum":
      return [
        undefined,
        `must be one of ${JSON.stringify(params["allowedValues"]).slice(1, -1)}`,
      ];
    case "const":
      return [undefined, `must be ${JSON.stringify(params["allowedValue"])}`];
    default:
      return [undefined, message];
  }
}

/** `.items[0].unit-price` of `.items[0]["unit-price"]`, as ajv has it of a name in the schema, or of `.items[0]['unit-price']`, of others. */
function dotted(path: string): string {
  return path.replaceAll(/\['(.*?)'\]|\["(.*?)"\]/gs, ".$1$2");
}
