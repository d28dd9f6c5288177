/** Waits until nothing moves any more: no group has anything left to read, in any topic or tier. */
import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { checkLag } from "./checks.ts";
import { logEnds, type Topics } from "./stack.ts";
import { GROUPS } from "./whole.ts";

const READ: readonly (readonly [group: string, topic: string])[] = [
  ...GROUPS,
  ...parseTiers(DEFAULT_TIERS).map(
    ({ topic }) => ["retry-scheduler", topic] as const,
  ),
];

/** Resolves to how long it took, ms. Throws, with the group that lags, when it takes longer than `withinMs`. */
export async function comeToRest(
  topics: Topics,
  withinMs: number,
): Promise<number> {
  const startedAt = performance.now();
  const end = startedAt + withinMs;
  // A delivery that waits in a tier comes back to `deliveries`, so all is over only if no topic grew while all were looked at.
  for (let before = ""; ;) {
    for (const [group, topic] of READ)
      await checkLag(
        topics,
        group,
        topic,
        Math.max(0, end - performance.now()),
      );
    const now = await endsOf(topics);
    if (now === before) return performance.now() - startedAt;
    before = now;
  }
}

async function endsOf(topics: Topics): Promise<string> {
  const ends: (readonly [number, number])[] = [];
  for (const [, topic] of READ) ends.push(...(await logEnds(topics, topic)));
  return ends.join(" ");
}
