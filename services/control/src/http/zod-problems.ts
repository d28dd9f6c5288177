import { fewProblems, type Problem } from "@postrider/core";
import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/**
 * Translates a failed parse for the caller: one entry per issue (of many issues the first 20 and a count), with the field
 * (`eventTypes[0]`, `headers.x-team`) and the rule. A custom issue names its rule in `params.rule`. Values are never
 * repeated, because they may be secrets.
 */
export function problemsOf(error: z.ZodError): Problem[] {
  return fewProblems(error.issues.flatMap(problemsOfIssue));
}

function problemsOfIssue(issue: Issue): Problem[] {
  const field = fieldOf(issue.path);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      field: fieldOf([...issue.path, key]),
      rule: "unknown",
      message: "is not a field of this request",
    }));
  return [{ field, rule: ruleOf(issue), message: messageOf(issue) }];
}

/** The field's name: `["eventTypes", 0]` becomes `eventTypes[0]`; the body itself is `body`. */
function fieldOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "body";
  return path
    .map((part, at) =>
      typeof part === "number"
        ? `[${part}]`
        : `${at === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
}

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return isMissing(issue) ? "required" : "type";
    case "too_small":
      return "min";
    case "too_big":
      return "max";
    case "invalid_value":
      return "one_of";
    case "invalid_key":
      return "name";
    case "custom":
      return typeof issue.params?.["rule"] === "string"
        ? issue.params["rule"]
        : "invalid";
    case "invalid_format":
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_union":
    case "invalid_element":
      return "format";
  }
}

function messageOf(issue: Issue): string {
  if (issue.code === "invalid_type")
    return isMissing(issue)
      ? "is required"
      : `must be of type ${issue.expected}`;
  if (issue.code === "too_small")
    return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === "too_big")
    return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === "invalid_value")
    return `must be one of ${issue.values.map(String).join(", ")}`;
  return issue.message;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" || origin === "record" ? " entries" : "";
}

/** True if the value was missing. Zod does not keep the input in its issues (`reportInput` is off), so this reads its message. */
function isMissing(issue: Issue): boolean {
  return issue.message.includes("received undefined");
}
