import { type Problem as FieldProblem, problemCount } from "@postrider/core";

/** One thing wrong with a request: the field (a body path, a parameter or a header), the rule it broke, and a sentence. */
export type { FieldProblem };

/** RFC 9457. `errors` is always there, so that a caller may read it without asking; empty where no field is at fault. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
  readonly requestId?: string;
}

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** What each kind of problem answers. `type` is `urn:postrider:problem:` and the kind with hyphens. */
const KINDS = {
  bad_request: [400, "The request cannot be read"],
  invalid: [400, "The request breaks a rule"],
  query_refused: [400, "The query is not one that may be asked here"],
  query_failed: [400, "ClickHouse refused the query"],
  unauthenticated: [401, "A valid key is needed"],
  not_found: [404, "There is no such thing"],
  ambiguous_event: [409, "Several tenants have an event of this id"],
  conflict: [409, "The request conflicts with what is stored"],
  stale_version: [412, "The endpoint has changed since"],
  too_large: [413, "The request is too large"],
  unsupported_media_type: [415, "The body is not JSON"],
  version_required: [428, "The version that the change is meant for is needed"],
  internal: [500, "Postrider failed"],
  busy: [503, "Too many writes are waiting"],
  not_owner: [503, "This replica may not write now"],
  write_uncertain: [503, "Whether the write was stored is not known"],
  clickhouse_unavailable: [503, "ClickHouse does not answer"],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemKind = keyof typeof KINDS;

/** An answer other than success. Thrown by handlers and turned into a document in one place: the server's error handler. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemKind;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemKind,
    detail: string,
    options: {
      readonly errors?: readonly FieldProblem[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return KINDS[this.code][0];
  }

  document(requestId: string): ProblemDocument {
    return {
      type: `urn:postrider:problem:${this.code.replaceAll("_", "-")}`,
      title: KINDS[this.code][1],
      status: this.status,
      detail: this.message,
      errors: this.errors,
      requestId,
    };
  }
}

/** A request whose fields break rules; the detail repeats the first so that a terminal shows it. */
export function invalid(errors: readonly FieldProblem[]): ProblemError {
  const [first] = errors;
  const count = problemCount(errors);
  const more = count > 1 ? ` (and ${count - 1} more)` : "";
  return new ProblemError(
    "invalid",
    first === undefined
      ? "The request breaks a rule."
      : `${first.field}: ${first.message}${more}`,
    { errors },
  );
}
