/**
 * Decides for each endpoint whether a delivery may be attempted now, by the endpoint's breaker and by the `Retry-After` that it
 * sent, and if not, how long the delivery waits. `waitOf` is asked first; if there is no wait, `begin` begins the attempt.
 *
 * In memory are only endpoints that have failed lately; they are forgotten after 15 idle minutes. That is longer than a breaker is
 * ever open, and than any hold.
 */
import type { Delivery, EpochMs, MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import { Breaker, type BreakerChange, type Permit } from "./breaker.ts";
import { evidenceOf, holdMsOf } from "./evidence.ts";
import { WaitingSlots } from "./waiting-slots.ts";
import type { AttemptResult } from "../send/attempt-result.ts";

/** What becomes of the endpoint's next delivery. */
export type Passage =
  | "attempt"
  /** An attempt that decides about a breaker that is not closed. Probes should start together: then an endpoint that never answers is known after one time-out. */
  | "probe"
  /** The probes are under way: it should stay where it is until they are decided. */
  | "decision"
  /** It is deferred at once, as is each other one, and none waits for an answer. */
  | "deferral";

/** Why a delivery must wait, and until when. */
export interface Wait {
  readonly reason: "breaker_open" | "retry_after";
  /** The reserved slot. */
  readonly until: EpochMs;
}

/** What follows for the endpoint from what an attempt showed. */
export interface Consequence {
  readonly change: BreakerChange | null;
  /** How long the endpoint wants no requests, ms; 0: it does not say. */
  readonly holdMs: number;
}

/** How many endpoints have a breaker that is not closed. */
export type BreakerCounts = Readonly<Record<"open" | "half_open", number>>;

const IDLE_MS = 15 * 60_000;
const SWEEP_MS = 60_000;

/** The permit of an endpoint that is not in memory: the first turn of the breaker that it may get. */
const NO_BREAKER: Permit = 0;

interface Endpoint {
  readonly breaker: Breaker;
  readonly slots: WaitingSlots;
  heldUntil: MonotonicMs;
  usedAt: MonotonicMs;
}

export interface EndpointBreakersOptions {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly random01: () => number;
}

export class EndpointBreakers {
  readonly #options: EndpointBreakersOptions;
  readonly #endpoints = new Map<string, Endpoint>();
  #sweptAt: MonotonicMs;

  constructor(options: EndpointBreakersOptions) {
    this.#options = options;
    this.#sweptAt = options.clock.monotonic();
  }

  get size(): number {
    return this.#endpoints.size;
  }

  /** The counts now. Forgets idle endpoints first: they may be without deliveries, or another process's by now. */
  counts(): BreakerCounts {
    this.#sweep(this.#options.clock.monotonic());
    const counts = { open: 0, half_open: 0, closed: 0 };
    for (const { breaker } of this.#endpoints.values())
      counts[breaker.state] += 1;
    return counts;
  }

  passageOf(endpointId: string): Passage {
    const endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) return "attempt";
    const { breaker, heldUntil } = endpoint;
    const now = this.#options.clock.monotonic();
    if (now < heldUntil || breaker.isShut(now)) return "deferral";
    if (breaker.state === "closed") return "attempt";
    return breaker.mayBegin(now) ? "probe" : "decision";
  }

  /** Each delivery of this endpoint is deferred at once, and none waits for an answer. */
  defersAll(endpointId: string): boolean {
    return this.passageOf(endpointId) === "deferral";
  }

  /** Reserves the slot of a delivery that may not be attempted now; null if it may. */
  waitOf(endpointId: string): Wait | null {
    const endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) return null;
    const { breaker, slots, heldUntil } = endpoint;
    const now = this.#options.clock.monotonic();
    if (now >= heldUntil && breaker.mayBegin(now)) return null;
    endpoint.usedAt = now;
    const slotAt = slots.reserve(breaker, heldUntil, now);
    return {
      reason: breaker.state === "closed" ? "retry_after" : "breaker_open",
      until: this.#options.clock.now() + Math.ceil(slotAt - now),
    };
  }

  /**
   * An attempt begins; only after `waitOf` has named no wait. `isKnown`: this process has tried the endpoint before. The permit
   * must be given back by `ended` or `undecided`.
   */
  begin(
    delivery: Pick<Delivery, "endpointId" | "deferralReason">,
    isKnown: boolean,
  ): Permit {
    const now = this.#options.clock.monotonic();
    if (now - this.#sweptAt > SWEEP_MS) this.#sweep(now);
    let endpoint = this.#endpoints.get(delivery.endpointId);
    if (endpoint === undefined) {
      // Its breaker was open in another process, which is gone: begin with probes, not with a concurrency of its own.
      const wasOpen = delivery.deferralReason === "breaker_open";
      if (isKnown || !wasOpen) return NO_BREAKER;
      endpoint = this.#endpoint(delivery.endpointId, now);
      endpoint.breaker.halfOpen(now);
      endpoint.slots.expectOthers(now);
    }
    endpoint.usedAt = now;
    // What had a probe's slot has not come back, so there are fewer probes to come.
    if (endpoint.breaker.isStale(now)) endpoint.slots.changed();
    return endpoint.breaker.begin(now);
  }

  /** What the attempt showed. `hasAnswered`: the endpoint has answered in this process, now or before. */
  ended(
    endpointId: string,
    permit: Permit,
    result: AttemptResult,
    hasAnswered: boolean,
  ): Consequence {
    const now = this.#options.clock.monotonic();
    const epoch = this.#options.clock.now();
    const evidence = evidenceOf(result, epoch);
    const holdMs = holdMsOf(result, epoch);
    const isCalm = evidence !== "failing" && holdMs === 0;
    if (isCalm && !this.#endpoints.has(endpointId))
      return { change: null, holdMs };
    const endpoint = this.#endpoint(endpointId, now);
    endpoint.usedAt = now;
    endpoint.heldUntil = Math.max(endpoint.heldUntil, now + holdMs);
    const change = endpoint.breaker.ended(permit, {
      evidence,
      now,
      hasAnswered,
      probesToCome: endpoint.slots.probesToCome(now),
    });
    if (change !== null) endpoint.slots.changed();
    if (holdMs > 0) endpoint.slots.held(endpoint.breaker.wellPerSecond(now));
    return { change, holdMs };
  }

  /** The attempt was not made, through no fault of the endpoint. */
  undecided(endpointId: string, permit: Permit): void {
    this.#endpoints.get(endpointId)?.breaker.undecided(permit);
  }

  #endpoint(endpointId: string, now: MonotonicMs): Endpoint {
    let endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) {
      endpoint = {
        breaker: new Breaker(this.#options.random01),
        slots: new WaitingSlots(),
        heldUntil: 0,
        usedAt: now,
      };
      this.#endpoints.set(endpointId, endpoint);
    }
    return endpoint;
  }

  #sweep(now: MonotonicMs): void {
    this.#sweptAt = now;
    for (const [endpointId, endpoint] of this.#endpoints)
      if (now - endpoint.usedAt > IDLE_MS) this.#endpoints.delete(endpointId);
  }
}
