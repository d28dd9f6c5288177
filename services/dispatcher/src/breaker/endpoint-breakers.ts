/**
 * Decides for each endpoint whether a delivery may be attempted now, by the endpoint's breaker and by the `Retry-After` that it
 * sent, and if not, how long the delivery waits.
 *
 * In memory are only endpoints that have failed lately; they are forgotten after 15 idle minutes. That is longer than a breaker is
 * ever open, and than any hold.
 */
import type { Delivery, EpochMs, MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";
import {
  Breaker,
  type BreakerChange,
  type BreakerState,
  type Permit,
} from "./breaker.ts";
import { evidenceOf, holdMsOf } from "./evidence.ts";
import { WaitingSlots } from "./waiting-slots.ts";
import type { AttemptResult } from "../send/attempt-result.ts";

export type Entry =
  | { readonly kind: "go"; readonly permit: Permit }
  | {
      readonly kind: "wait";
      readonly reason: "breaker_open" | "retry_after";
      /** The reserved slot. */
      readonly until: EpochMs;
    };

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
  counted: BreakerState;
  usedAt: MonotonicMs;
}

export interface EndpointBreakersOptions {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly random01: () => number;
  /** Is told whenever the counts change. */
  readonly counted: (counts: BreakerCounts) => void;
}

export class EndpointBreakers {
  readonly #options: EndpointBreakersOptions;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #counts = { open: 0, half_open: 0, closed: 0 };
  #sweptAt: MonotonicMs;

  constructor(options: EndpointBreakersOptions) {
    this.#options = options;
    this.#sweptAt = options.clock.monotonic();
  }

  get size(): number {
    return this.#endpoints.size;
  }

  /** Attempts of this endpoint are probes. They should start together: then an endpoint that never answers is known after one time-out. */
  isProbing(endpointId: string): boolean {
    const endpoint = this.#endpoints.get(endpointId);
    return endpoint !== undefined && endpoint.breaker.state !== "closed";
  }

  /** Each delivery of this endpoint is deferred at once, and none waits for an answer. */
  defersAll(endpointId: string): boolean {
    const endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) return false;
    const now = this.#options.clock.monotonic();
    return now < endpoint.heldUntil || endpoint.breaker.isShut(now);
  }

  /** Whether the delivery may be attempted now. `isKnown`: this process has tried the endpoint before. */
  enter(
    delivery: Pick<Delivery, "endpointId" | "deferralReason">,
    isKnown: boolean,
  ): Entry {
    const now = this.#options.clock.monotonic();
    if (now - this.#sweptAt > SWEEP_MS) this.#sweep(now);
    let endpoint = this.#endpoints.get(delivery.endpointId);
    if (endpoint === undefined) {
      // Its breaker was open in another process, which is gone: begin with probes, not with a concurrency of its own.
      const wasOpen = delivery.deferralReason === "breaker_open";
      if (isKnown || !wasOpen) return { kind: "go", permit: NO_BREAKER };
      endpoint = this.#endpoint(delivery.endpointId, now);
      endpoint.breaker.halfOpen(now);
      endpoint.slots.expectOthers(now);
    }
    endpoint.usedAt = now;
    const permit =
      now < endpoint.heldUntil ? null : endpoint.breaker.begin(now);
    this.#count(endpoint);
    if (permit !== null) return { kind: "go", permit };
    const { breaker, slots, heldUntil } = endpoint;
    const slotAt = slots.reserve(breaker, heldUntil, now);
    return {
      kind: "wait",
      reason: breaker.state === "closed" ? "retry_after" : "breaker_open",
      until: this.#options.clock.now() + Math.ceil(slotAt - now),
    };
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
    this.#count(endpoint);
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
        counted: "closed",
        usedAt: now,
      };
      this.#endpoints.set(endpointId, endpoint);
      this.#counts.closed += 1;
    }
    return endpoint;
  }

  #count(endpoint: Endpoint): void {
    const { state } = endpoint.breaker;
    if (endpoint.counted === state) return;
    this.#counts[endpoint.counted] -= 1;
    this.#counts[state] += 1;
    endpoint.counted = state;
    this.#options.counted(this.#counts);
  }

  #sweep(now: MonotonicMs): void {
    this.#sweptAt = now;
    for (const [endpointId, endpoint] of this.#endpoints) {
      if (now - endpoint.usedAt <= IDLE_MS) continue;
      this.#endpoints.delete(endpointId);
      this.#counts[endpoint.counted] -= 1;
    }
    this.#options.counted(this.#counts);
  }
}
