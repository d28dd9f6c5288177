/** One delay, one topic. */
export interface Tier {
  /** As configured: `1s`. */
  readonly name: string;
  readonly delayMs: number;
  /** Below the prefix: `retry.1s`. */
  readonly topic: `retry.${string}`;
}

export const DEFAULT_TIERS = "1s,2s,4s,8s,16s,32s,64s,128s,256s,300s,1h";

/** What is left of a wait below this is waited in memory, not in a topic. */
export const MEMORY_WAIT_MS = 1_000;

/** By how much of the whole a wait may be lengthened to save hops. */
const LENGTHENING = 0.05;

/**
 * What each hop before the last tier of a wait may cost, in ms: produce, broker, release. Without it the rest that a
 * tier was chosen for would always be a little shorter than the tier, and fall apart into all the smaller ones.
 */
const HOP_SLACK_MS = 50;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** The tiers of a list such as `1s,2s,300s,1h`, shortest first. Throws `RangeError` naming the entry at fault. */
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

/** A wait as the tiers can keep it. */
export interface PlannedWait {
  /** The first tier; `null` only where there is nothing to wait for. */
  readonly tier: Tier | null;
  /** The whole wait: never shorter than what was asked for. `nextAttemptAt` is now plus this. */
  readonly waitMs: number;
}

/**
 * Splits a wait greedily from the longest tier down. A rest of at most a second is waited in memory behind the last
 * tier. A rest, or a whole, that the smallest tier holding it would lengthen by under 5 % of the whole becomes that
 * tier, so that hops stay few. A wait shorter than every tier becomes the shortest. `tiers` are ascending, one or more.
 */
export function planWait(tiers: readonly Tier[], waitMs: number): PlannedWait {
  if (!(waitMs > 0)) return { tier: null, waitMs: 0 };
  const bound = waitMs * LENGTHENING;
  const whole = smallestHolding(tiers, waitMs);
  if (whole !== null && whole.delayMs - waitMs < bound)
    return { tier: whole, waitMs: whole.delayMs };
  const first = longestWithin(tiers, waitMs);
  if (first === null)
    return { tier: whole, waitMs: whole?.delayMs ?? Math.ceil(waitMs) };

  let rest = waitMs - first.delayMs;
  for (let hops = 1; rest > MEMORY_WAIT_MS; hops++) {
    const holding = smallestHolding(tiers, rest);
    const next = longestWithin(tiers, rest);
    if (holding !== null) {
      const lengthening = holding.delayMs + hops * HOP_SLACK_MS - rest;
      if (lengthening < bound || next === null)
        return { tier: first, waitMs: Math.ceil(waitMs + lengthening) };
    }
    if (next === null) break;
    rest -= next.delayMs;
  }
  return { tier: first, waitMs: Math.ceil(waitMs) };
}

/**
 * Where hold sends a record whose tier is over while `restMs` of the whole wait remain; `null`: the rest is waited in
 * memory, then the record goes to `deliveries`.
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
