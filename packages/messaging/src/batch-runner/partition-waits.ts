/** How a partition's loop waits: for a notice, for a time, for a fault to pass. It reports what it waits for, and every wait ends when the loop must end. */
import type { MonotonicMs } from "@postrider/core";
import { backOffMs } from "../back-off.ts";
import { StaleAssignmentError } from "../ports.ts";

/** Thrown to unwind a loop that must end. It is not a fault and is never logged. */
class Ended extends Error {
  readonly code = "ENDED";
}

/** Not a fault: the assignment is over. */
export function isOver(error: unknown): boolean {
  return error instanceof Ended || error instanceof StaleAssignmentError;
}

export interface PartitionWaitsEffects {
  monotonic(): MonotonicMs;
  random(): number;
  /** The loop now waits for `problem` to pass. `needsOperator`: it will not pass by itself. */
  waiting(problem: string, needsOperator: boolean): void;
  healed(problem: string): void;
}

/**
 * After `end` the loop may do nothing more. After `drain` it finishes its current work, but no longer waits for a fault to pass.
 * There is no `await` between a check and the wait that follows it, so no notice is lost.
 */
export class PartitionWaits {
  readonly #effects: PartitionWaitsEffects;
  readonly #waiters = new Set<() => void>();
  #problem: string | null = null;
  #isEnded = false;
  #isDraining = false;
  #outside = 0;

  constructor(effects: PartitionWaitsEffects) {
    this.#effects = effects;
  }

  get problem(): string | null {
    return this.#problem;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The loop waits for an answer of Kafka or the table. */
  get isOutside(): boolean {
    return this.#outside > 0;
  }

  end(): void {
    this.#isEnded = true;
    this.notify();
  }

  drain(): void {
    this.#isDraining = true;
    this.notify();
  }

  notify(): void {
    for (const resolve of this.#waiters) resolve();
  }

  reportProblem(problem: string, needsOperator: boolean): void {
    if (problem !== this.#problem)
      this.#effects.waiting(problem, needsOperator);
    this.#problem = problem;
  }

  resolveProblem(): void {
    if (this.#problem !== null) this.#effects.healed(this.#problem);
    this.#problem = null;
  }

  throwIfEnded(): void {
    if (this.#isEnded) throw new Ended();
  }

  /** Waits for a notice, or `ms`, whichever is first. */
  async untilNotified(ms?: number): Promise<void> {
    this.throwIfEnded();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    this.#waiters.add(resolve);
    await promise;
    this.#waiters.delete(resolve);
    clearTimeout(timer);
    this.throwIfEnded();
  }

  /** Waits `ms`, for a fault to pass. Throws `Ended` when the loop ends or drains. */
  async sleep(ms: number): Promise<void> {
    const until = this.#effects.monotonic() + ms;
    for (;;) {
      this.throwIfEnded();
      if (this.#isDraining) throw new Ended();
      const left = until - this.#effects.monotonic();
      if (left <= 0) return;
      await this.untilNotified(left);
    }
  }

  async backOff(failures: number, leastMs = 0): Promise<void> {
    await this.sleep(backOffMs(failures, this.#effects.random(), leastMs));
  }

  /** Runs `act`, which waits for an answer of Kafka or the table; `isOutside` is true meanwhile. */
  async whileWaiting<T>(act: () => Promise<T>): Promise<T> {
    this.throwIfEnded();
    this.#outside++;
    try {
      return await act();
    } finally {
      this.#outside--;
    }
  }

  /** Tries `act`, a call to Kafka, until it succeeds or the assignment is over. */
  async persist<T>(act: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        const result = await this.whileWaiting(act);
        this.throwIfEnded();
        if (failures > 1) this.resolveProblem();
        return result;
      } catch (error) {
        if (isOver(error)) throw error;
        this.reportProblem(`Kafka does not answer: ${String(error)}`, false);
        await this.backOff(failures);
      }
    }
  }
}
