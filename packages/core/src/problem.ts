import { counted } from "./counted.ts";

/** What is wrong with one field. `rule` is a short stable name that programs may test; `message` is for people and never repeats a secret. */
export interface Problem {
  /** A path such as `destination.url`; empty if the problem concerns the whole input. */
  readonly field: string;
  readonly rule: string;
  readonly message: string;
  /** Only if the rule is `more`: how many further problems are not listed. */
  readonly count?: number;
}

/** How many problems are listed one by one; further problems are only counted. */
const MAX_PROBLEMS = 20;
const MAX_FIELD_LENGTH = 128;
const MAX_MESSAGE_LENGTH = 500;
/** Characters that would break or reorder the line in which a field or a message is shown. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Collects the problems of input from outside. Invariant: the list holds at most 20 problems of bounded length and a count
 * of the others. The list is copied into HTTP answers, Kafka records and ClickHouse rows, so hostile input must not be
 * able to make it large.
 */
export class ProblemList {
  readonly #named: Problem[] = [];
  #moreCount = 0;

  add(problem: Problem): void {
    if (problem.count !== undefined) this.#moreCount += problem.count;
    else if (this.#named.length >= MAX_PROBLEMS) this.#moreCount += 1;
    else this.#named.push(shortened(problem));
  }

  addIfAny(problem: Problem | undefined): void {
    if (problem !== undefined) this.add(problem);
  }

  addAll(problems: Iterable<Problem>): void {
    for (const problem of problems) this.add(problem);
  }

  list(): Problem[] {
    if (this.#moreCount === 0) return [...this.#named];
    const message = `and ${counted(this.#moreCount, "more problem")}`;
    const more = { field: "", rule: "more", message, count: this.#moreCount };
    return [...this.#named, more];
  }
}

/** The first 20 problems, and how many more there are. */
export function fewProblems(problems: Iterable<Problem>): Problem[] {
  const list = new ProblemList();
  list.addAll(problems);
  return list.list();
}

/** How many problems a list stands for, those that are only counted included. */
export function problemCount(problems: readonly Problem[]): number {
  return problems.reduce((sum, { count = 1 }) => sum + count, 0);
}

/** The same problems, with `path` put before each field: the path of the checked value in a larger input, such as `events[3]`. */
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
