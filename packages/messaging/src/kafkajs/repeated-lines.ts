/** Thins out repeated log lines: the first of each text is logged, then one a minute with the number of those in between. */
export interface Seldom {
  /** Null: do not log this text now. Else log it; the number is how often it was left out since it was last logged. */
  repeats(text: string, nowMs: number): number | null;
}

const QUIET_MS = 60_000;
/** How many texts are remembered. When one more comes, all are forgotten. */
const MAX_TEXTS = 200;

export function createSeldom(): Seldom {
  const seen = new Map<string, { loggedAt: number; leftOut: number }>();
  return {
    repeats(text, nowMs) {
      const one = seen.get(text);
      if (one !== undefined && nowMs - one.loggedAt < QUIET_MS) {
        one.leftOut += 1;
        return null;
      }
      if (seen.size >= MAX_TEXTS) seen.clear();
      seen.set(text, { loggedAt: nowMs, leftOut: 0 });
      return one?.leftOut ?? 0;
    },
  };
}
