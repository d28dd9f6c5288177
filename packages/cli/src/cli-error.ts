/** The exit codes. Scripts rely on them, so their meaning must not change. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  refused: 5,
  interrupted: 130,
  /** The reader of our output has closed it. 128 and the number of SIGPIPE, as other tools exit. */
  brokenPipe: 141,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command cannot do what was asked. The error holds what happened, why, and the next command to run. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly why: string | null;
  readonly next: string | null;
  /** Further fields of the error that `--json` prints. */
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

/** The innermost cause of an error in one line; usually that is what a person can act on. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || error.name;
}
