/** How late retries were, read from the topic of attempts. */
import type { Attempt } from "@postrider/core";
import { readAttempts } from "./checks.ts";
import type { Topics } from "./stack.ts";

export interface TierWaits {
  /** By tier: how late each retry started that had waited there, in ms; a negative number is early. */
  readonly waits: ReadonlyMap<string, readonly number[]>;
  readonly deferrals: number;
}

/** The waits of the events whose ids begin with `idPrefix`. Throws unless `attempts` holds as many as there were requests, whatever their ids. */
export async function tierWaits(
  topics: Topics,
  { idPrefix, requests }: { idPrefix: string; requests: number },
): Promise<TierWaits> {
  const chains = new Map<string, Attempt[]>();
  let records = 0;
  let deferrals = 0;
  await readAttempts(topics, (attempt) => {
    if (attempt.attemptNumber === 0) {
      deferrals += 1;
      return;
    }
    records += 1;
    if (!attempt.eventId.startsWith(idPrefix)) return;
    const chain = chains.get(attempt.deliveryId);
    if (chain === undefined) chains.set(attempt.deliveryId, [attempt]);
    else chain.push(attempt);
  });
  if (records !== requests)
    throw new Error(`${records} attempts for ${requests} requests`);
  return { waits: byTier(chains.values()), deferrals };
}

function byTier(chains: Iterable<Attempt[]>): Map<string, number[]> {
  const waits = new Map<string, number[]>();
  for (const chain of chains) {
    chain.sort((a, b) => a.attemptNumber - b.attemptNumber);
    chain.slice(1).forEach((attempt, i) => {
      const { tier, nextAttemptAt } = chain[i]!;
      const late = attempt.startedAt - (nextAttemptAt ?? NaN);
      const known = waits.get(tier ?? "none");
      if (known === undefined) waits.set(tier ?? "none", [late]);
      else known.push(late);
    });
  }
  return waits;
}
