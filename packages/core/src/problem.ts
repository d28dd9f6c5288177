/** What is wrong with one field. `rule` is a short stable name that programs may test; `message` is for people and never repeats a secret. */
export interface Problem {
  /** A path such as `destination.url`; empty for the whole. */
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

export type ValidationProblem = Problem;

/** The same problems of something that stands at `path` in a larger whole: `events[3]`. */
export function problemsAt(
  path: string,
  problems: readonly Problem[],
): Problem[] {
  return problems.map((problem) => ({
    ...problem,
    field: problem.field === "" ? path : `${path}.${problem.field}`,
  }));
}
