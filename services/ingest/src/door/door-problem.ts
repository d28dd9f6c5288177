import { type Problem, problemCount } from "@postrider/core";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** What each kind of problem answers. `type` is `urn:postrider:problem:` and the kind with hyphens. */
const KINDS = {
  bad_request: [400, "The request cannot be read"],
  invalid: [400, "The request breaks a rule"],
  unauthenticated: [401, "A valid key is needed"],
  not_found: [404, "There is no such thing"],
  too_large: [413, "The request is too large"],
  unsupported_media_type: [415, "The body is not JSON"],
  internal: [500, "Postrider failed"],
  busy: [503, "Too much is being taken in at once"],
  not_acknowledged: [503, "Kafka has not acknowledged the events"],
} as const satisfies Record<string, readonly [number, string]>;
export type DoorProblemKind = keyof typeof KINDS;

/** An answer other than 202. Thrown by the route's handler and turned into an RFC 9457 document in one place. */
export class DoorProblem extends Error {
  override readonly name = "DoorProblem";
  readonly code: DoorProblemKind;
  readonly errors: readonly Problem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: DoorProblemKind,
    detail: string,
    options: {
      readonly errors?: readonly Problem[];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return KINDS[this.code][0];
  }

  document(requestId: string): Readonly<Record<string, unknown>> {
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

/** A request whose fields break rules; the detail repeats the first, so that a terminal shows it. */
export function invalid(errors: readonly Problem[]): DoorProblem {
  const [first] = errors;
  const count = problemCount(errors);
  const more = count > 1 ? ` (and ${count - 1} more)` : "";
  const where = first?.field ? `${first.field}: ` : "the body: ";
  return new DoorProblem("invalid", `${where}${first?.message}${more}`, {
    errors,
  });
}
