/** Why a request was not answered as asked: the API's problem document, or that there was no such answer. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  /** 0: no answer came. */
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldError[];
  /** The fault is in control's log under it. */
  readonly requestId: string | null;

  constructor(of: {
    readonly status: number;
    readonly title: string;
    readonly detail: string;
    readonly errors?: readonly FieldError[];
    readonly requestId?: string | null;
    readonly cause?: unknown;
  }) {
    super(of.detail, { cause: of.cause });
    this.status = of.status;
    this.title = of.title;
    this.errors = of.errors ?? [];
    this.requestId = of.requestId ?? null;
  }

  /** The same request may be answered in a moment. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What whoever reads it can do; null where the problem's own words say it. */
  get nextStep(): string | null {
    switch (true) {
      case this.status === 0:
        return "Look whether control runs and this machine reaches it; then try again.";
      case this.status === 403:
        return "Sign in with a key that may do this. An administrator makes one: npx postrider keys create --help";
      case this.status === 412:
        return "Somebody else has changed it meanwhile: look at how it is now, then do it again.";
      case this.status === 429:
        return "Wait a moment, then try again.";
      case this.status === 500:
        return `Look into control's log${this.requestId === null ? "" : ` for the request ${this.requestId}`}.`;
      default:
        return this.isPassing ? "Try again in a moment." : null;
    }
  }
}

/** There is no such thing, or no more. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** From an answer's status and body. The body may be that of a proxy: then it is no problem document. */
export function problemOf(status: number, body: string): ApiProblem {
  const document = documentOf(body);
  return new ApiProblem({
    status,
    title: textOf(document["title"]) ?? `The answer is ${status}`,
    detail:
      textOf(document["detail"]) ??
      "It is not from Postrider: something between this page and control has answered.",
    errors: Array.isArray(document["errors"])
      ? document["errors"].flatMap(fieldErrorOf)
      : [],
    requestId: textOf(document["requestId"]),
  });
}

export function noAnswer(cause: unknown): ApiProblem {
  return new ApiProblem({
    status: 0,
    title: "Control does not answer",
    detail: "The request did not reach it, or the connection was lost.",
    cause,
  });
}

function documentOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>) // any object has texts as keys
      : {};
  } catch {
    return {};
  }
}

function fieldErrorOf(value: unknown): readonly FieldError[] {
  if (typeof value !== "object" || value === null) return [];
  const { field, message } = value as Record<string, unknown>; // any object
  return typeof field === "string" && typeof message === "string"
    ? [{ field, message }]
    : [];
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
