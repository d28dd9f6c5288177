/** What `within` gives when time ran out first. */
export const LATE = Symbol("late");

/** `setTimeout` takes a longer time for none at all. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * What the promise gives, or `LATE` after `ms` (0 and less: as soon as the event loop turns). Rejects as the promise does. What
 * the promise becomes after that is dropped: a late rejection is handled, and no timer is left.
 */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
): Promise<T | typeof LATE> {
  const late = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(
    () => late.resolve(LATE),
    Math.min(Math.max(ms, 0), LONGEST_MS),
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
