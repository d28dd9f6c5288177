/** One delay, one topic. */
export interface Tier {
  /** As configured: `1s`. */
  readonly name: string;
  readonly delayMs: number;
  /** Without the topic prefix: `retry.1s`. */
  readonly topic: `retry.${string}`;
}

export const DEFAULT_TIERS = "1s,2s,4s,8s,16s,32s,64s,128s,256s,300s,1h";

/** A rest of a wait up to this long, in ms, is waited in memory, not in a topic. */
export const MEMORY_WAIT_MS = 1_000;

/**
 * A wait may be lengthened to save hops: by at most 5 % of the whole wait, and by at most 1,000 ms. The bound in ms is
 * needed because every wait is a promise (`notBefore`, `Retry-After`, an endpoint's own delays), and 5 % of a day is more
 * than an hour.
 */
const LENGTHENING = 0.05;
const LONGEST_LENGTHENING_MS = 1_000;

/**
 * Allowance for each hop before the last tier of a wait, in ms: the time to produce, store and release a record. Without
 * it, the rest of the wait would be a little shorter than the tier planned for it, and would be split over all the
 * smaller tiers.
 */
const HOP_SLACK_MS = 50;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** The tiers of a list such as `1s,2s,300s,1h`, shortest first. Throws `RangeError` naming the wrong entry. */
export function parseTiers(text: string): Tier[] {
  const tiers = text.split(",").map((entry) => parseTier(entry.trim()));
  tiers.sort((a, b) => a.delayMs - b.delayMs);
  for (const [index, tier] of tiers.entries()) {
    const before = tiers[index - 1];
    if (before?.delayMs === tier.delayMs)
      throw new RangeError(`tiers ${before.name} and ${tier.name} are equal`);
  }
  return tiers;
}

function parseTier(name: string): Tier {
  const match = /^(\d{1,6})(ms|s|m|h)$/.exec(name);
  const delayMs = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? NaN);
  if (!(delayMs >= 1 && delayMs <= 24 * 3_600_000))
    throw new RangeError(
      `tier "${name}" is not a duration from 1ms to 24h such as 500ms, 1s, 5m or 1h`,
    );
  return { name, delayMs, topic: `retry.${name}` };
}

/** A wait, adjusted to the tiers. */
export interface PlannedWait {
  /** The first tier; `null` only if the wait is zero. */
  readonly tier: Tier | null;
  /** The whole wait: never shorter than what was asked for. `nextAttemptAt` is now plus this. */
  readonly waitMs: number;
}

/**
 * Splits a wait greedily, from the longest tier down.
 *
 * - A rest of at most a second is waited in memory after the last tier.
 * - To keep hops few, the wait or its rest is rounded up to one tier if that lengthens the whole wait by at most 5 % and at
 *   most a second.
 * - A wait, or a rest over a second, that is shorter than every tier takes the shortest tier. So with a shortest tier of more than a
 *   second, a wait of more than 20 hops of one tier may end so much later, if it fills them exactly.
 * - Nothing is lengthened past `mostMs`: by then the delivery would have expired.
 *
 * `tiers` are ascending, one or more.
 */
export function planWait(
  tiers: readonly Tier[],
  waitMs: number,
  mostMs = Infinity,
): PlannedWait {
  if (!(waitMs > 0)) return { tier: null, waitMs: 0 };
  const asked = Math.ceil(waitMs);
  const spareMs = mostMs - asked;
  const boundMs = Math.min(
    waitMs * LENGTHENING,
    LONGEST_LENGTHENING_MS,
    spareMs,
  );
  const whole = smallestHolding(tiers, asked);
  const first = longestWithin(tiers, asked);
  const wholeMs = whole === null ? Infinity : whole.delayMs - asked;
  if (wholeMs <= boundMs || (first === null && wholeMs <= spareMs))
    return { tier: whole, waitMs: asked + wholeMs };
  // The shortest tier is longer than the delivery may live. Hold then releases the record before the tier's delay is over.
  if (first === null) return { tier: whole, waitMs: asked };

  let rest = asked - first.delayMs;
  for (let hops = 1; rest > MEMORY_WAIT_MS; hops++) {
    const holding = smallestHolding(tiers, rest);
    const next = longestWithin(tiers, rest);
    if (holding !== null) {
      // At most MEMORY_WAIT_MS, because a longer rest would itself need a tier.
      const slackMs = Math.min(
        hops * HOP_SLACK_MS,
        next === null ? MEMORY_WAIT_MS : Infinity,
      );
      const lengthening = holding.delayMs + slackMs - rest;
      if (next === null && lengthening <= spareMs)
        // Planned anew, because the longer wait may fill a longer tier, and then has another rest.
        return planWait(tiers, asked + lengthening, mostMs);
      if (next !== null && lengthening <= boundMs)
        return { tier: first, waitMs: asked + lengthening };
    }
    if (next === null) break;
    rest -= next.delayMs;
  }
  return { tier: first, waitMs: asked };
}

/**
 * The next tier of a record that has waited its tier's delay while `restMs` of its whole wait remain. `null`: hold waits
 * the rest in memory, then sends the record to `deliveries`.
 */
export function nextHop(tiers: readonly Tier[], restMs: number): Tier | null {
  if (!(restMs > MEMORY_WAIT_MS)) return null;
  return longestWithin(tiers, restMs) ?? tiers[0] ?? null;
}

function longestWithin(tiers: readonly Tier[], waitMs: number): Tier | null {
  return tiers.findLast((tier) => tier.delayMs <= waitMs) ?? null;
}

function smallestHolding(tiers: readonly Tier[], waitMs: number): Tier | null {
  return tiers.find((tier) => tier.delayMs >= waitMs) ?? null;
}
