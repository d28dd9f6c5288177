/** Reads what a run among hostile endpoints left behind, and checks that no delivery was lost, attempted twice in one step, or given up. */
import type { Endpoint, Outcome } from "@postrider/core";
import { readAttempts, readDeadLetters } from "./checks.ts";
import type { Topics } from "./stack.ts";

/** An endpoint that misbehaves, and what an attempt to it comes to. */
export interface Hostile {
  readonly name: string;
  readonly outcome: Outcome;
}

export interface HostileRun {
  readonly endpoints: readonly Endpoint[];
  /** By endpoint. All other endpoints are well. */
  readonly hostile: ReadonlyMap<string, Hostile>;
  /** The endpoint that answers 410: it is disabled, and what comes for it is given up or not routed. */
  readonly goneId: string;
  /** The ids of all events that are not for `goneId`. */
  readonly eventIds: ReadonlySet<string>;
  /** When the hostile endpoints became well, epoch ms. */
  readonly wellFrom: number;
}

export interface HostileAttempts {
  /** Attempts to endpoints that were hostile. */
  readonly attempts: number;
  /** Of those, how many had the outcome of their misbehaviour. */
  readonly asExpected: number;
  /** The longest attempt of all ÷ its deadline. */
  readonly longest: number;
  /** The misbehaviour that caused it, or "". */
  readonly longestAt: string;
  /** Waits without an attempt of endpoints that were always well. */
  readonly healthyDeferrals: number;
}

export async function hostileAttempts(
  topics: Topics,
  run: HostileRun,
): Promise<HostileAttempts> {
  const timeoutMs = new Map(run.endpoints.map((e) => [e.id, e.timeoutMs]));
  const unseen = new Set(run.eventIds);
  const steps = new Set<string>();
  const delivered = new Set<string>();
  const wrong: string[] = [];
  let attempts = 0;
  let asExpected = 0;
  let longest = 0;
  let longestAt = "";
  let healthyDeferrals = 0;
  await readAttempts(topics, (attempt) => {
    const { deliveryId, endpointId, eventId, attemptNumber, step } = attempt;
    unseen.delete(eventId);
    const hostile = run.hostile.get(endpointId);
    if (attemptNumber === 0) {
      if (hostile === undefined) healthyDeferrals += 1;
      return;
    }
    const key = `${deliveryId} ${step}`;
    if (steps.has(key)) wrong.push(`${key} twice`);
    steps.add(key);
    if (delivered.has(deliveryId)) wrong.push(`${key} after delivery`);
    if (attempt.outcome === "delivered") delivered.add(deliveryId);
    else if (hostile === undefined) wrong.push(`${key} ${attempt.outcome}`);
    const share = attempt.durationMs / (timeoutMs.get(endpointId) ?? NaN);
    if (!(share <= longest)) {
      longest = share;
      longestAt = hostile?.name ?? "";
    }
    if (hostile === undefined || attempt.startedAt >= run.wellFrom) return;
    attempts += 1;
    if (attempt.outcome === hostile.outcome) asExpected += 1;
  });
  if (wrong.length > 0 || unseen.size > 0)
    throw new Error(
      `${unseen.size} deliveries without a row in attempts: ${[...unseen].slice(0, 3).join(", ")}; ${wrong.length} wrong: ${wrong.slice(0, 3).join(", ")}`,
    );
  const deadLetters = await readDeadLetters(topics);
  const unexpected = deadLetters.filter((e) => e.endpointId !== run.goneId);
  if (unexpected.length > 0)
    throw new Error(
      `${unexpected.length} dead letters, the first ${unexpected[0]!.reason}: ${unexpected[0]!.detail}`,
    );
  return { attempts, asExpected, longest, longestAt, healthyDeferrals };
}
