import { CommonProblem } from "./problem-error.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value of a JSON body; an own field `__proto__` is a field like any other and changes no prototype. Throws a
 * `CommonProblem` that names the field `body` and never quotes it: it may hold a secret.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = strictUtf8.decode(bytes);
  } catch {
    throw unreadable("utf8", "not valid UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable("json", "not valid JSON");
  }
}

function unreadable(rule: string, message: string): CommonProblem {
  return new CommonProblem("bad_request", `body: ${message}`, {
    errors: [{ field: "body", rule, message }],
  });
}
