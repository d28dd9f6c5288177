/** The value of `orAborted` when the signal was aborted first. */
export const ABORTED = Symbol("aborted");

/**
 * The promise's value, or `ABORTED` once the signal is aborted; for something that does not know signals. Rejects when the promise
 * rejects first; a later rejection is ignored. Nothing is left at the signal, which may live for days.
 */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T | typeof ABORTED> {
  const aborted = Promise.withResolvers<typeof ABORTED>();
  const stop = (): void => aborted.resolve(ABORTED);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
