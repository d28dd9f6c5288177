/** The value of `within` when the time ran out first. */
export const LATE = Symbol("late");

/** The longest delay of `setTimeout` (ms). It treats a longer one as no delay at all. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The promise's value, or `LATE` when it takes longer than `ms` (0 or less: `LATE` in the next turn of the event loop). Rejects
 * when the promise rejects in time. A later result or rejection of the promise is ignored, and no timer is left.
 */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
): Promise<T | typeof LATE> {
  const late = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(
    () => late.resolve(LATE),
    Math.min(Math.max(ms, 0), LONGEST_TIMER_MS),
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same for who can go on without an answer: null where the promise rejects, or takes longer than `ms`. */
export async function answerWithin<T>(
  asked: Promise<T>,
  ms: number,
): Promise<T | null> {
  try {
    const answer = await within(asked, ms);
    return answer === LATE ? null : answer;
  } catch {
    return null;
  }
}
