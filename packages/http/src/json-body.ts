import { CommonProblem } from "./problem-error.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses a JSON body. A field `__proto__` is an ordinary field and changes no prototype. Throws a `CommonProblem` for the
 * field `body`; its message never quotes the body, which may contain a secret.
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
