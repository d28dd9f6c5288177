/** At most three of `names` that the wrong name may have meant, the nearest first: those that share a word with it, or are few letters away. */
export function nearestNames(
  wrong: string,
  names: readonly string[],
): readonly string[] {
  const asked = wrong.slice(0, 64).toLowerCase();
  return names
    .map((name) => ({ name, distance: distanceOf(asked, name) }))
    .filter(({ distance }) => distance < 0.5)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** From 0 (the same) to 1 (nothing in common). */
function distanceOf(asked: string, name: string): number {
  const words = name.split("-");
  const shared = asked.split(/[^a-z0-9]+/).filter((word) => isIn(word, words));
  const byWords =
    shared.length === 0 ? 1 : 0.45 - (0.3 * shared.length) / words.length;
  const letters = edits(asked, name) / Math.max(asked.length, name.length);
  return Math.min(byWords, letters);
}

/** Also a word in the singular or the plural. */
function isIn(word: string, words: readonly string[]): boolean {
  const stem = (text: string): string => text.replace(/s$/, "");
  return words.some((each) => stem(each) === stem(word));
}

/** How many letters must be added, removed or replaced to make one of the other. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries())
      next.push(
        Math.min(
          (row[j] ?? 0) + (letter === other ? 0 : 1),
          (row[j + 1] ?? 0) + 1,
          (next[j] ?? 0) + 1,
        ),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
