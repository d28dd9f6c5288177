import {
  headerProblems,
  isSecretHeader,
  REDACTED,
  type Problem,
} from "@postrider/core";
import { invalid } from "@postrider/http";

/** A header would be sent with the text that only stands for its value: none is stored under this name. */
export function redactedProblems(
  headers: Readonly<Record<string, string>>,
): Problem[] {
  return Object.entries(headers)
    .filter(([name, value]) => value === REDACTED && isSecretHeader(name))
    .map(([name]) => ({
      field: `headers.${name}`,
      rule: "redacted",
      message: `${REDACTED} stands for a stored value, and none is stored under this name`,
    }));
}

/** Throws a `ProblemError` if headers break a rule as they would be stored: what `[redacted]` stands for may be longer than that. */
export function requireFitHeaders(
  headers: Readonly<Record<string, string>>,
): void {
  const problems = [
    ...headerProblems("headers", headers),
    ...redactedProblems(headers),
  ];
  if (problems.length > 0) throw invalid(problems);
}
