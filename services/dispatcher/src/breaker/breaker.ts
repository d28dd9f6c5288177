/**
 * The circuit breaker of one endpoint. Pure: it is told the time, and draws its jitter from what it is given.
 *
 *             too many failures              its time is over, and a delivery comes
 *     closed ──────────────────▶ open ◀─────────────────────────────────────────▶ half-open
 *       ▲                          a probe failed: open again, for half as long again │
 *       └────────────────────────────────── every probe is answered ─────────────────┘
 *
 * Invariant: while the breaker is half-open, at most PROBES attempts have begun, without those that were then not made. Each attempt
 * carries the permit with which it began; what it shows counts only if the breaker has not changed since.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Evidence } from "./evidence.ts";
import { FailureWindow } from "./failure-window.ts";

export type BreakerState = "closed" | "open" | "half_open";

/** Shows in which turn of the breaker an attempt began. */
export type Permit = number;

export type BreakerChange =
  | {
      readonly kind: "opened" | "reopened";
      readonly why: string;
      readonly openMs: number;
    }
  | { readonly kind: "closed" };

/** What an attempt showed, and what is known beside it. */
export interface Shown {
  readonly evidence: Evidence;
  readonly now: MonotonicMs;
  /** The endpoint has answered in this process, with any status. */
  readonly hasAnswered: boolean;
  /** How many probes this half-open breaker will get, PROBES at most: fewer if fewer deliveries wait. */
  readonly probesToCome: number;
}

/** How many attempts a half-open breaker allows. */
export const PROBES = 3;

const SHORTEST_OPEN_MS = 5_000;
const LONGEST_OPEN_MS = 300_000;
/** Each opening lasts so many times the one before. So an endpoint that recovers is found out within half of the time for which it was down. */
const GROWTH = 1.5;
/** The open time is shortened by up to this part at random, so that breakers that opened together do not probe together. */
const JITTER = 0.2;
/** A breaker that was closed for this long, ms, opens for the shortest time again. */
const WELL_MS = 300_000;
/** Longer than the longest attempt (60 s), ms. If no probe has begun for so long, the half-open breaker begins anew: none is under way, and the answers of earlier ones are too old to be put together with new ones. */
const PROBE_LEASE_MS = 75_000;

export class Breaker {
  readonly #random01: () => number;
  #state: BreakerState = "closed";
  #turn: Permit = 0;
  #window = new FailureWindow();
  /** The time that the next opening lasts, before jitter, ms. */
  #openMs = SHORTEST_OPEN_MS;
  #closedAt: MonotonicMs = -Infinity;
  #openUntil: MonotonicMs = 0;
  #halfOpenAt: MonotonicMs = 0;
  #begunAt: MonotonicMs = 0;
  /** Probes that have begun. */
  #probes = 0;
  #answered = 0;
  #failed = 0;

  constructor(random01: () => number) {
    this.#random01 = random01;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How many attempts a second the endpoint took within the last minute, since the breaker closed. */
  wellPerSecond(now: MonotonicMs): number {
    return this.#window.wellPerSecond(now);
  }

  /** When an open breaker lets the first probe pass. */
  get openUntil(): MonotonicMs {
    return this.#openUntil;
  }

  /** How long the breaker has been half-open, ms. */
  halfOpenMs(now: MonotonicMs): number {
    return now - this.#halfOpenAt;
  }

  /** Every attempt must still wait. */
  isShut(now: MonotonicMs): boolean {
    return this.#state === "open" && now < this.#openUntil;
  }

  /** Whether an attempt may begin. If it may, it still may later, as long as no other one begins. */
  mayBegin(now: MonotonicMs): boolean {
    if (this.#state !== "half_open") return !this.isShut(now);
    return this.#probes < PROBES || this.isStale(now);
  }

  /** Half-open, but no probe can be under way any more, and what they showed is too old: the next one begins a new turn. */
  isStale(now: MonotonicMs): boolean {
    return this.#state === "half_open" && now - this.#begunAt > PROBE_LEASE_MS;
  }

  /** An attempt begins; only if it may. Its permit must be given back by `ended` or `undecided`. */
  begin(now: MonotonicMs): Permit {
    if (this.#state === "closed") return this.#turn;
    if (this.#state === "open" || this.isStale(now)) this.halfOpen(now);
    this.#probes += 1;
    this.#begunAt = now;
    return this.#turn;
  }

  /** The attempt was not made: it says nothing, and another one may take its place. */
  undecided(permit: Permit): void {
    if (this.#state === "half_open" && permit === this.#turn) this.#probes -= 1;
  }

  /** What an attempt showed, and how the breaker changed. */
  ended(permit: Permit, shown: Shown): BreakerChange | null {
    if (permit !== this.#turn) return null;
    if (shown.evidence === "none") this.undecided(permit);
    else if (this.#state === "closed") return this.#attempted(shown);
    else return this.#probed(shown);
    return null;
  }

  #attempted({ evidence, now, hasAnswered }: Shown): BreakerChange | null {
    if (evidence !== "well" && evidence !== "failing") return null;
    this.#window.add(evidence === "failing", now);
    if (evidence === "well") return null;
    const why = this.#window.reasonToOpen(hasAnswered, now);
    if (why === null) return null;
    if (now - this.#closedAt >= WELL_MS) this.#openMs = SHORTEST_OPEN_MS;
    return { kind: "opened", why, openMs: this.#open(now) };
  }

  #probed({ evidence, now, probesToCome }: Shown): BreakerChange | null {
    if (evidence === "failing" || evidence === "busy") this.#failed += 1;
    else this.#answered += 1;
    const haveAllBegun = this.#probes >= probesToCome;
    const isOneUnderWay = this.#answered + this.#failed < this.#probes;
    if (this.#failed > 0 && (haveAllBegun || !isOneUnderWay))
      return {
        kind: "reopened",
        why: "a probe failed",
        openMs: this.#open(now),
      };
    if (!haveAllBegun || isOneUnderWay) return null;
    this.#become("closed");
    this.#closedAt = now;
    this.#window = new FailureWindow();
    return { kind: "closed" };
  }

  /** Begins to probe. Also for a breaker that another process had opened. */
  halfOpen(now: MonotonicMs): void {
    this.#become("half_open");
    this.#halfOpenAt = this.#begunAt = now;
    this.#probes = this.#answered = this.#failed = 0;
  }

  #open(now: MonotonicMs): number {
    this.#become("open");
    const openMs = Math.round(this.#openMs * (1 - JITTER * this.#random01()));
    this.#openUntil = now + openMs;
    this.#openMs = Math.min(this.#openMs * GROWTH, LONGEST_OPEN_MS);
    return openMs;
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#turn += 1;
  }
}
