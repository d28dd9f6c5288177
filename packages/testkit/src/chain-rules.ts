/** The rules for the attempts of one delivery: one chain, numbers without gaps, no attempt early. Pure. */
import type { Attempt } from "@postrider/core";

export interface ChainViolation {
  readonly invariant: "fork" | "numbering" | "early";
  readonly detail: string;
}

/** What is known of a delivery beside its attempts. */
export interface ChainFacts {
  /** How often faults may have repeated a step. */
  readonly explained: (step: number) => number;
  /** It waited for its paused endpoint, which uses up a step, too. */
  readonly wasParked: boolean;
  /** A fault cut an attempt off after its retry was stored, but before its own record was. So nobody knows when that retry is due. */
  readonly lacksAttempts: boolean;
}

/** `chain`: the attempts of one delivery, including deferrals. */
export function* chainViolations(
  chain: readonly Attempt[],
  { explained, wasParked, lacksAttempts }: ChainFacts,
): Iterable<ChainViolation> {
  const made = distinct(chain.filter(({ attemptNumber }) => attemptNumber > 0));
  const hasWaited =
    wasParked || chain.some(({ attemptNumber }) => attemptNumber === 0);
  yield* forks(made, explained);
  yield* numbering(made, hasWaited);
  if (!lacksAttempts) yield* early(made);
}

/** Removes copies of the same attempt, which an output writes when it sends a batch again. They are equal in worker, starting time, step and number. */
function distinct(attempts: readonly Attempt[]): Attempt[] {
  const seen = new Map(
    attempts.map((one) => [
      `${one.worker} ${one.startedAt} ${one.step} ${one.attemptNumber}`,
      one,
    ]),
  );
  return [...seen.values()];
}

/**
 * Finds a second retry chain of one delivery. A fault may repeat the requests that it cut off, and completed ones that no
 * commit had recorded. Any further attempt of a step, or the same attempt number at another step, belongs to a second chain.
 */
function* forks(
  made: readonly Attempt[],
  explained: (step: number) => number,
): Iterable<ChainViolation> {
  for (const [step, same] of Map.groupBy(made, (one) => one.step)) {
    const allowed = 1 + explained(step);
    if (same.length > allowed)
      yield {
        invariant: "fork",
        detail: `step ${step} was attempted ${same.length} times, explained ${allowed}`,
      };
  }
  for (const [number, same] of Map.groupBy(made, (one) => one.attemptNumber)) {
    const steps = [...new Set(same.map(({ step }) => step))];
    // After a kill, one process may have deferred the record while the other sent it: then the same number has two steps.
    if (steps.length > 1 && !steps.some((step) => explained(step) > 0))
      yield {
        invariant: "fork",
        detail: `attempt ${number} at the steps ${steps.join(", ")}`,
      };
  }
}

/** Numbers count from 1 without a gap, and steps grow with them. Only a deferral may use up a step without a number. */
function* numbering(
  made: readonly Attempt[],
  hasWaited: boolean,
): Iterable<ChainViolation> {
  const stepOf = new Map<number, number>();
  for (const { attemptNumber, step } of made)
    stepOf.set(
      attemptNumber,
      Math.min(step, stepOf.get(attemptNumber) ?? step),
    );
  const ordered = [...stepOf].sort(([a], [b]) => a - b);
  for (const [i, [number, step]] of ordered.entries()) {
    const before = ordered[i - 1]?.[1];
    const detail =
      number !== i + 1
        ? `attempt ${i + 1} is missing before attempt ${number}`
        : before !== undefined && step <= before
          ? `attempt ${number} at step ${step}, after step ${before}`
          : step < number - 1 || (step > number - 1 && !hasWaited)
            ? `attempt ${number} at step ${step}, though it never waited otherwise`
            : null;
    if (detail !== null) yield { invariant: "numbering", detail };
  }
}

/** A retry may not start before the time that the previous attempt set; if that attempt was repeated, before the earliest of their times. */
function* early(made: readonly Attempt[]): Iterable<ChainViolation> {
  const dueOf = new Map<number, number>();
  for (const { attemptNumber, nextAttemptAt } of made) {
    if (nextAttemptAt === null) continue;
    const due = dueOf.get(attemptNumber + 1) ?? Infinity;
    dueOf.set(attemptNumber + 1, Math.min(due, nextAttemptAt));
  }
  for (const { attemptNumber, startedAt } of made) {
    const due = dueOf.get(attemptNumber);
    if (due !== undefined && startedAt < due)
      yield {
        invariant: "early",
        detail: `attempt ${attemptNumber} started ${due - startedAt} ms before it was due`,
      };
  }
}
