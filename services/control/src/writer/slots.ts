/** At most so many pieces of work at a time; the others wait in order. */

/** Runs `work` once there is room. `isWanted` says whether another one waits. Rejects with the signal's reason if it is aborted while it waits. */
export type InSlot = <T>(
  work: (isWanted: () => boolean) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

export function createSlots(count: number): InSlot {
  const waiting = new Set<() => void>();
  let free = count;

  async function room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const give = (): void => turn.resolve();
    const leave = (): void => {
      // Once the slot was given, the work begins, and looks at the signal itself.
      if (waiting.delete(give)) turn.reject(signal.reason);
    };
    waiting.add(give);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  return async (work, signal) => {
    await room(signal);
    try {
      return await work(() => waiting.size > 0);
    } finally {
      const [next] = waiting;
      if (next === undefined) free += 1;
      else {
        waiting.delete(next);
        next();
      }
    }
  };
}
