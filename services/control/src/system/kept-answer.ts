import type { Clock } from "@postrider/runtime";

/** Asks again `forMs` after the last answer at the earliest: until then everybody gets that answer, or the one that is under way. A failure is not kept. */
export function keptAnswer<T>(
  ask: () => Promise<T>,
  { forMs, clock }: { readonly forMs: number; readonly clock: Clock },
): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  let kept: { readonly answer: T; readonly at: number } | null = null;

  async function begin(): Promise<T> {
    try {
      const answer = await ask();
      kept = { answer, at: clock.monotonic() };
      return answer;
    } finally {
      underWay = null;
    }
  }

  return async () =>
    kept !== null && clock.monotonic() - kept.at < forMs
      ? kept.answer
      : await (underWay ??= begin());
}
