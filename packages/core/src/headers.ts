import { type Problem, ProblemList } from "./problem.ts";

/** Set by Postrider or by the HTTP client itself; a user's value would break framing or the signature. */
const REFUSED_NAMES = new Set([
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "user-agent",
  "traceparent",
]);
const REFUSED_PREFIXES = ["webhook-", "proxy-"];

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Printable Latin-1: what can be sent in a header without being changed. */
const VALUE = /^[\u0020-\u007e\u00a0-\u00ff]*$/;

const MAX_HEADERS = 50;
const MAX_BYTES = 8_192;

/** The problems of request headers that a user gave, for an event or for an endpoint. `field` is their path: `headers`. */
export function headerProblems(
  field: string,
  headers: Readonly<Record<string, string>>,
): Problem[] {
  const problems = new ProblemList();
  const seen = new Set<string>();
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    bytes += name.length + value.length;
    const lower = name.toLowerCase();
    const problem = nameProblem(lower, seen) ?? valueProblem(value);
    seen.add(lower);
    if (problem !== undefined)
      problems.add({ field: `${field}.${name}`, ...problem });
  }
  if (seen.size > MAX_HEADERS || bytes > MAX_BYTES)
    problems.add({
      field,
      rule: "size",
      message: `at most ${MAX_HEADERS} headers and ${MAX_BYTES} characters in all`,
    });
  return problems.list();
}

function nameProblem(
  name: string,
  seen: ReadonlySet<string>,
): Omit<Problem, "field"> | undefined {
  if (!TOKEN.test(name))
    return { rule: "characters", message: "not a header name" };
  if (
    REFUSED_NAMES.has(name) ||
    REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix))
  )
    return { rule: "refused_name", message: "this header cannot be set" };
  if (seen.has(name))
    return { rule: "unique", message: "given twice, in different case" };
  return undefined;
}

function valueProblem(value: string): Omit<Problem, "field"> | undefined {
  if (VALUE.test(value)) return undefined;
  return {
    rule: "characters",
    message: "no control characters, line breaks or characters above U+00FF",
  };
}
