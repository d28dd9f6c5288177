/** The header `if-match` of a change. */
import { ControlProblem } from "./problem.ts";

/** The version that the change is meant for; `any` accepts the current version. */
export type VersionCondition = number | "any";

/** Throws the problem `version_required` where there is none. */
export function requiredVersion(header: string | undefined): VersionCondition {
  const condition = versionOf(header);
  if (condition !== undefined) return condition;
  throw new ControlProblem(
    "version_required",
    'Send `if-match` with the version that the change is meant for, as "3" (the ETag of a GET).',
    {
      errors: [{ field: "if-match", rule: "required", message: "is required" }],
    },
  );
}

/** The version in an `If-Match` header: `"3"` (an ETag) or `3`; `*` is any version (RFC 9110 §13.1.1). */
export function versionOf(
  header: string | undefined,
): VersionCondition | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === "*") return "any";
  const version = /^\s*(?:"([1-9]\d{0,9})"|([1-9]\d{0,9}))\s*$/.exec(header);
  if (version !== null) return Number(version[1] ?? version[2]);
  throw new ControlProblem("bad_request", "`if-match` is not a version.", {
    errors: [
      {
        field: "if-match",
        rule: "version",
        message: 'must be one version, as "3"',
      },
    ],
  });
}
