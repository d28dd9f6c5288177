/** What must hold of the attempts of one delivery: one chain, exact numbers, nothing early. Pure. */
import type { Attempt } from "@postrider/core";

export interface ChainViolation {
  readonly invariant: "fork" | "numbering" | "early";
  readonly detail: string;
}

/** `chain`: the attempts of one delivery, deferrals included. `explained`: how often a fault may have repeated a step of it. */
export function* chainViolations(
  chain: readonly Attempt[],
  explained: (step: number) => number,
): Iterable<ChainViolation> {
  const made = distinct(chain.filter(({ attemptNumber }) => attemptNumber > 0));
  const hasWaited = chain.some(({ attemptNumber }) => attemptNumber === 0);
  yield* forks(made, explained);
  yield* numbering(made, hasWaited);
  yield* early(made);
}

/** An output that is sent again writes the same attempt twice: one worker starts one attempt of a step at one time. */
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
 * Two retry chains of one delivery. A fault repeats what it cut off, and what no commit said; any further attempt of a step,
 * and any attempt number at another step, is of a second chain.
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
    // A record that a kill cut off may have been deferred by one process and sent by the other.
    if (steps.length > 1 && !steps.some((step) => explained(step) > 0))
      yield {
        invariant: "fork",
        detail: `attempt ${number} at the steps ${steps.join(", ")}`,
      };
  }
}

/** Numbers count from 1 without a gap, steps grow with them, and only a deferral takes a step without a number. */
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

/** A retry starts no sooner than the earliest time that the attempt before it, or a repeat of it, gave. */
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
