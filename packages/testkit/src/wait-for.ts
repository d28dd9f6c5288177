import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  /** Between two looks; default 20. */
  readonly everyMs?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
}

/** What is left of a type once a test for truth has passed. */
export type Truthy<T> = Exclude<NonNullable<T>, false | 0 | "">;

/**
 * Looks until `condition` gives something truthy, and returns that. A throw counts as not yet; when time is over, the
 * last one is the cause of the error.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what }: WaitOptions = {},
): Promise<Truthy<T>> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Truthy<T>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) {
      throw new Error(
        `waited ${timeoutMs} ms in vain for ${what ?? String(condition)}`,
        last === undefined ? undefined : { cause: last },
      );
    }
    await sleep(everyMs);
  }
}
