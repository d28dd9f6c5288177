import { type Problem, problemCount } from "@postrider/core";
import { z } from "zod";

/** A problem document (RFC 9457). `errors` is always present; empty if no field is at fault. */
export const problemDocument = z
  .strictObject({
    type: z.string().meta({ description: "What kind of problem it is" }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "What happened, for people" }),
    errors: z
      .array(
        z.strictObject({
          field: z.string().meta({
            description: "A path such as `destination.url`; empty: the whole",
          }),
          rule: z.string().meta({
            description: "The rule that was broken, for programs",
          }),
          message: z.string(),
          count: z.int().optional().meta({
            description: "Of the rule `more`: how many are not listed",
          }),
        }),
      )
      .readonly(),
    requestId: z
      .string()
      .optional()
      .meta({ description: "Also in the log, and in `x-request-id`" }),
  })
  .meta({ id: "Problem" });

export interface ProblemDocument extends Omit<
  z.infer<typeof problemDocument>,
  "errors" | "requestId"
> {
  readonly errors: readonly Problem[];
  readonly requestId?: string;
}

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** Status and title of each kind of problem. */
export type ProblemKinds = Readonly<
  Record<string, readonly [status: number, title: string]>
>;

/** The problems that every API may answer. An API with more kinds spreads these into its own table. */
export const COMMON_KINDS = {
  bad_request: [400, "The request cannot be read"],
  invalid: [400, "The request breaks a rule"],
  unauthenticated: [401, "A valid key is needed"],
  forbidden: [403, "The key may not do this"],
  not_found: [404, "There is no such thing"],
  too_large: [413, "The request is too large"],
  unsupported_media_type: [415, "The body is not JSON"],
  limited: [429, "The key's limit is reached"],
  internal: [500, "Postrider failed"],
  keys_behind: [503, "The keys are not read to their end"],
  stopping: [503, "This server is stopping"],
} as const satisfies ProblemKinds;

export interface ProblemOptions {
  readonly errors?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * An answer other than success. Handlers throw it, and the server's error handler, the only place, turns it into a
 * document. An API with further kinds of problems derives a class from this one.
 */
export class ProblemError<
  Kind extends string = keyof typeof COMMON_KINDS,
> extends Error {
  override readonly name: string = "ProblemError";
  readonly code: Kind;
  readonly status: number;
  readonly title: string;
  readonly errors: readonly Problem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    kinds: Readonly<Record<Kind, readonly [status: number, title: string]>>,
    code: Kind,
    detail: string,
    options: ProblemOptions = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    [this.status, this.title] = kinds[code];
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }

  document(requestId: string): ProblemDocument {
    return {
      type: problemType(this.code),
      title: this.title,
      status: this.status,
      detail: this.message,
      errors: this.errors,
      requestId,
    };
  }
}

/** A problem's `type`: that of `not_found` is `urn:postrider:problem:not-found`. */
export function problemType(code: string): string {
  return `urn:postrider:problem:${code.replaceAll("_", "-")}`;
}

/** A problem of one of the common kinds. */
export class CommonProblem extends ProblemError {
  constructor(
    code: keyof typeof COMMON_KINDS,
    detail: string,
    options?: ProblemOptions,
  ) {
    super(COMMON_KINDS, code, detail, options);
  }
}

/** The problem of a request whose fields break rules. The detail repeats the first error, so that a terminal that shows only the detail shows one. */
export function invalid(errors: readonly Problem[]): CommonProblem {
  return new CommonProblem("invalid", detailOf(errors), { errors });
}

/** The first error, and how many more there are. */
export function detailOf(errors: readonly Problem[]): string {
  const [first] = errors;
  if (first === undefined) return "The request breaks a rule.";
  const count = problemCount(errors);
  const more = count > 1 ? ` (and ${count - 1} more)` : "";
  return `${first.field}: ${first.message}${more}`;
}
