/** Checks each delivery's attempts where some endpoints misbehaved for a while. */
import { checkDeadLetters, readAttempts } from "./checks.ts";
import type { Topics } from "./stack.ts";

interface Chain {
  attempts: number;
  delivered: number;
  last: number;
  isWell: boolean;
}

/**
 * Each of `count` deliveries must have been delivered once, by the last of its attempts, and those to an endpoint that was always well by their
 * first. There must be no dead letter. Returns how many times deliveries waited without an attempt, by whether their endpoint was always well.
 */
export async function checkChains(
  topics: Topics,
  {
    count,
    isWell,
  }: {
    readonly count: number;
    readonly isWell: (endpointId: string) => boolean;
  },
): Promise<{ readonly well: number; readonly unruly: number }> {
  const chains = new Map<string, Chain>();
  const deferrals = { well: 0, unruly: 0 };
  await readAttempts(topics, (attempt) => {
    const { deliveryId, endpointId, attemptNumber, outcome } = attempt;
    if (attemptNumber === 0)
      return void (deferrals[isWell(endpointId) ? "well" : "unruly"] += 1);
    let chain = chains.get(deliveryId);
    if (chain === undefined) {
      const none = { attempts: 0, delivered: 0, last: 0 };
      chains.set(deliveryId, (chain = { ...none, isWell: isWell(endpointId) }));
    }
    chain.attempts += 1;
    if (outcome === "delivered") chain.delivered += 1;
    chain.last = Math.max(chain.last, attemptNumber);
  });
  const wrong = [...chains].filter(
    ([, { attempts, delivered, last, isWell }]) =>
      delivered !== 1 || attempts !== last || (isWell && attempts !== 1),
  );
  if (chains.size !== count || wrong.length > 0)
    throw new Error(
      `${chains.size} of ${count} deliveries have attempts, ${wrong.length} of them wrong ones: ${JSON.stringify(wrong.slice(0, 3))}`,
    );
  await checkDeadLetters(topics);
  return deferrals;
}
