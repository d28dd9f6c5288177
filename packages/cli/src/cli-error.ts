/** What the exit code says; a contract for scripts. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  refused: 5,
  interrupted: 130,
  /** Whoever read our output has gone: what other tools end with, 128 and SIGPIPE. */
  brokenPipe: 141,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that cannot do what was asked: what happened, why, and the next command to run. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly why: string | null;
  readonly next: string | null;
  /** Further fields of the error with `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    exitCode: ExitCode,
    what: string,
    more: {
      readonly why?: string | undefined;
      readonly next?: string | undefined;
      readonly cause?: unknown;
      readonly facts?: Readonly<Record<string, unknown>> | undefined;
    } = {},
  ) {
    super(what, more.cause === undefined ? undefined : { cause: more.cause });
    this.exitCode = exitCode;
    this.why = more.why ?? null;
    this.next = more.next ?? null;
    this.facts = more.facts ?? {};
  }
}

/** The innermost reason of an error, in one line: what a person can act on. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || error.name;
}
