/** Which of many like lines are worth a line: the first of each text, then one a minute with how many came between. */
export interface Seldom {
  /** How often the text has come since it was last worth a line; null: it is not now. */
  repeats(text: string, nowMs: number): number | null;
}

const QUIET_MS = 60_000;
/** Texts remembered; beyond, all are forgotten. */
const MAX_TEXTS = 200;

export function createSeldom(): Seldom {
  const seen = new Map<string, { toldAt: number; untold: number }>();
  return {
    repeats(text, nowMs) {
      const one = seen.get(text);
      if (one !== undefined && nowMs - one.toldAt < QUIET_MS) {
        one.untold += 1;
        return null;
      }
      if (seen.size >= MAX_TEXTS) seen.clear();
      seen.set(text, { toldAt: nowMs, untold: 0 });
      return one?.untold ?? 0;
    },
  };
}
