/** What is wrong with one field. `rule` is a short stable name that programs may test; `message` is for people and never repeats a secret. */
export interface Problem {
  /** A path such as `destination.url`; empty for the whole. */
  readonly field: string;
  readonly rule: string;
  readonly message: string;
  /** Only where the rule is `more`: how many problems are not named. */
  readonly count?: number;
}

export type ValidationProblem = Problem;

/** So many problems are named. */
const MAX_PROBLEMS = 20;
const MAX_FIELD_LENGTH = 128;
const MAX_MESSAGE_LENGTH = 500;
/** What would change the line that a field or a message is shown in. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Collects problems of what somebody else wrote. Invariant: however many there are and however long the names that they
 * quote, the list holds 20 short ones and how many more there are, because it goes into answers, records and rows.
 */
export class ProblemList {
  readonly #named: Problem[] = [];
  #moreCount = 0;

  add(problem: Problem): void {
    if (problem.count !== undefined) this.#moreCount += problem.count;
    else if (this.#named.length >= MAX_PROBLEMS) this.#moreCount += 1;
    else this.#named.push(shortened(problem));
  }

  addAll(problems: Iterable<Problem>): void {
    for (const problem of problems) this.add(problem);
  }

  list(): Problem[] {
    if (this.#moreCount === 0) return [...this.#named];
    const message = `and ${this.#moreCount} more problems`;
    const more = { field: "", rule: "more", message, count: this.#moreCount };
    return [...this.#named, more];
  }
}

/** The first 20 of some problems, and how many more there are. */
export function fewProblems(problems: Iterable<Problem>): Problem[] {
  const list = new ProblemList();
  list.addAll(problems);
  return list.list();
}

/** How many problems a list stands for. */
export function problemCount(problems: readonly Problem[]): number {
  return problems.reduce((sum, { count = 1 }) => sum + count, 0);
}

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

function shortened({ field, rule, message }: Problem): Problem {
  return {
    field: cut(field, MAX_FIELD_LENGTH),
    rule,
    message: cut(message, MAX_MESSAGE_LENGTH),
  };
}

function cut(text: string, length: number): string {
  const kept = text.length > length ? `${text.slice(0, length)}…` : text;
  return kept.replace(UNPRINTABLE, "?");
}
