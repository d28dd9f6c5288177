/**
 * The rate limits of endpoints: how many attempts may start a second, and how many of them at once (the burst).
 *
 * A limit is a clock that each start moves on by one step, which is a second divided by the rate (the generic cell rate algorithm).
 * A start is allowed while the clock is less than the burst's steps ahead of now. So over any time t at most `rate · t + burst`
 * attempts start. Only what was sent counts; a limit is in this process's memory, so a new owner of the endpoint begins with a
 * whole burst.
 */
import type { Endpoint, MonotonicMs } from "@postrider/core";
import type { LaneRateLimit } from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";

type Setting = NonNullable<Endpoint["rateLimit"]>;

/** How often clocks are forgotten that have stood still since a whole burst, ms. */
const SWEEP_MS = 60_000;

export class RateLimits {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #limits = new Map<string, EndpointLimit>();
  #sweptAt: MonotonicMs;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#sweptAt = clock.monotonic();
  }

  get size(): number {
    return this.#limits.size;
  }

  /** The endpoint's limit as it is set now; undefined if it has none. A changed limit holds at once, and what was sent before counts. */
  limitOf(
    endpoint: Pick<Endpoint, "id" | "rateLimit"> | undefined,
  ): LaneRateLimit | undefined {
    if (endpoint === undefined) return undefined;
    // Control refuses a rate of 0. If another writer has set it, sending without a limit is better than never.
    if (!endpoint.rateLimit || !(endpoint.rateLimit.perSecond > 0)) {
      // What is sent without a limit must not count when there is one again. Asked at each start, mostly where no endpoint has a limit.
      if (this.#limits.size > 0) this.#limits.delete(endpoint.id);
      return undefined;
    }
    let limit = this.#limits.get(endpoint.id);
    if (limit === undefined) {
      this.#sweep();
      limit = new EndpointLimit(endpoint.rateLimit);
      this.#limits.set(endpoint.id, limit);
    }
    limit.set(endpoint.rateLimit, this.#clock.monotonic());
    return limit;
  }

  /** An attempt starts. */
  started(endpointId: string): void {
    this.#limits.get(endpointId)?.started(this.#clock.monotonic());
  }

  /** The attempt that started last was not made: its start does not count. */
  notSent(endpointId: string): void {
    this.#limits.get(endpointId)?.notSent();
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [endpointId, limit] of this.#limits)
      if (limit.isUnused(now)) this.#limits.delete(endpointId);
  }
}

class EndpointLimit implements LaneRateLimit {
  #setting: Setting;
  /** The time up to which starts are used up. */
  #usedUpTo: MonotonicMs = -Infinity;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** What was used up counts in steps of the new rate, a whole new burst at most: so a raised limit holds at once, too. */
  set(setting: Setting, now: MonotonicMs): void {
    if (setting === this.#setting) return;
    const used = Math.max(0, this.#usedUpTo - now) / this.#stepMs;
    this.#setting = setting;
    this.#usedUpTo = now + Math.min(used, setting.burst) * this.#stepMs;
  }

  get perSecond(): number {
    return this.#setting.perSecond;
  }

  get #stepMs(): number {
    return 1_000 / this.#setting.perSecond;
  }

  nextStartAt(): MonotonicMs {
    return this.#usedUpTo - (this.#setting.burst - 1) * this.#stepMs;
  }

  started(now: MonotonicMs): void {
    this.#usedUpTo = Math.max(this.#usedUpTo, now) + this.#stepMs;
  }

  notSent(): void {
    this.#usedUpTo -= this.#stepMs;
  }

  /** As good as new: a whole burst is free. */
  isUnused(now: MonotonicMs): boolean {
    return this.#usedUpTo <= now;
  }
}
