/**
 * A question that everybody who asks while it is under way asks once more, together. An answer is never of a question that had
 * begun before it was asked for, because it might tell of a state that was over by then.
 */
export function sharedQuestion<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<unknown> | null = null;
  let next: Promise<T> | null = null;

  async function begin(): Promise<T> {
    next = null;
    const answer = ask();
    underWay = answer;
    try {
      return await answer;
    } finally {
      if (next === null) underWay = null;
    }
  }

  return () => {
    if (underWay === null) return begin();
    return (next ??= underWay.then(begin, begin));
  };
}
