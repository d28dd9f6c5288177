/** Checks a run in which attempts may fail: each delivery succeeded exactly once, none was given up. */
import { checkDeadLetters, readAttempts } from "./checks.ts";
import type { Topics } from "./stack.ts";

export interface AttemptCounts {
  readonly failed: number;
  /** Waits that spent no attempt. */
  readonly deferrals: number;
}

/** Throws if one of `count` deliveries succeeded not once, or if there is a dead letter. */
export async function checkDeliveredOnce(
  topics: Topics,
  count: number,
): Promise<AttemptCounts> {
  const delivered = new Set<string>();
  let successes = 0;
  let failed = 0;
  let deferrals = 0;
  await readAttempts(topics, ({ deliveryId, attemptNumber, outcome }) => {
    if (attemptNumber === 0) deferrals += 1;
    else if (outcome === "delivered") {
      delivered.add(deliveryId);
      successes += 1;
    } else failed += 1;
  });
  if (successes !== count || delivered.size !== count)
    throw new Error(
      `${successes} successful attempts of ${delivered.size} deliveries; expected ${count}`,
    );
  await checkDeadLetters(topics);
  return { failed, deferrals };
}
