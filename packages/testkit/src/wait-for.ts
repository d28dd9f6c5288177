import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** Default 30,000: a slow and busy machine must not make a test fail. */
  readonly timeoutMs?: number;
  /** The time between two checks, ms. Default 20. */
  readonly everyMs?: number;
  /** What is waited for; used in the error's message. */
  readonly what?: string;
}

/** The type of a value after a test for truthiness. */
export type Truthy<T> = Exclude<NonNullable<T>, false | 0 | "">;

/**
 * Calls `condition` until it returns something truthy, and returns that. A throw counts as "not yet"; when the time is over,
 * the last one is the cause of the error.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 20, what }: WaitOptions = {},
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
