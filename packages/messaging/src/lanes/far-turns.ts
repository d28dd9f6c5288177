/**
 * Chooses the records of a throttled lane that must not wait in memory, because their turn by the lane's rate limit is too far away.
 *
 * Each of them reserves the next free turn, a step of the limit after the one before, however far away: the limit is known, so its
 * turns are exact, and each record waits once. Turns are given in the order of the queue, from its old end on, so that later
 * turns never go to earlier records.
 *
 * A record that comes back for a turn of its own goes first. As long as turns are reserved, a fresh record goes behind them: otherwise fresh
 * arrivals would keep those that waited from their turns for ever. Only while one that comes back is late may a fresh one start, as the
 * limit has a start to give. From then on all turns are a step behind, so what comes back for its turn may be a step further away than others
 * and still waits in memory: it must not lose its place for that.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Lane, Queued, Relieved } from "./lane.ts";

export interface FarTurnsRequest<E> {
  readonly now: EpochMs;
  readonly monotonic: MonotonicMs;
  /** A turn further away than this is far, ms. */
  readonly beyondMs: number;
  /** Whether the record comes back for a turn that it had reserved. */
  readonly hasTurn: (entry: E) => boolean;
  /** Asked for each record that is far. False ends the choice. */
  readonly wants: (entry: E) => boolean;
  /** At most so many records are chosen. */
  readonly most: number;
}

/** The records are still in their queue afterwards. */
export function farTurns<E extends Queued<E>>(
  lane: Lane<E>,
  request: FarTurnsRequest<E>,
): Relieved<E>[] {
  if (lane.throttle === null) return [];
  const { now, monotonic, beyondMs, hasTurn, wants, most } = request;
  const { perSecond, nextStartAt } = lane.throttle;
  const stepMs = 1_000 / perSecond;
  const reservedUntil = reservedAt(lane, perSecond, now);
  // Under pressure, where `beyondMs` is short, a lane with a low limit must not keep what it has for minutes.
  const behindMs = Math.min(stepMs, beyondMs);
  const isOthersTurn = reservedUntil - now > beyondMs;
  const chosen: Relieved<E>[] = [];
  let free = reservedUntil;
  /** The turn of the next record that stays. */
  let turnAt = now + Math.max(0, nextStartAt - monotonic);
  for (let entry = lane.oldest; entry !== null; entry = entry.behind) {
    const isOwnTurn = entry.isInTurn || hasTurn(entry);
    const isBehind = isOthersTurn && !isOwnTurn;
    if (!isBehind && turnAt - now <= beyondMs + (isOwnTurn ? behindMs : 0)) {
      entry.isInTurn = true;
      turnAt += stepMs;
    } else if (chosen.length >= most || !wants(entry)) break;
    else {
      const slotAt = Math.max(free, turnAt);
      chosen.push({ entry, slotAt: Math.ceil(slotAt), isTurn: true });
      free = slotAt + stepMs;
    }
  }
  if (chosen.length > 0) lane.nextTurn = { at: free, perSecond };
  return chosen;
}

/**
 * Up to when turns are reserved. When the limit was raised as many are reserved as before, at the new rate. When it was lowered they
 * end when they did: what waits for them comes back at its old turns, faster than it may start, and takes turns anew behind the
 * last of these. Turns between would be nobody's, and nothing would start there.
 */
function reservedAt<E>(
  { nextTurn }: Lane<E>,
  perSecond: number,
  now: EpochMs,
): EpochMs {
  if (nextTurn === null || nextTurn.at <= now) return now;
  const scale = Math.min(1, nextTurn.perSecond / perSecond);
  return now + (nextTurn.at - now) * scale;
}
