/**
 * What deliver knows of each endpoint beyond its record: how many attempts may run at once, whether it answers, and a 410
 * it has just seen.
 *
 * The window works like a congestion window: 2 at first, one more with each prompt success up to the endpoint's cap, half
 * on a timeout or a refused connection, never below 1. A success whose body had to be cut held its slot longer than it
 * should: it changes nothing. An endpoint whose window has come down to 1, and whose last two attempts were not answered, is
 * suspect until it answers; one that has never answered is so after the first. Sockets that outlive their attempt count as taken. Forgotten after 15 idle minutes.
 */
import type { MonotonicMs, Outcome } from "@postrider/core";
import type { LaneStanding } from "@postrider/messaging";
import type { Clock } from "@postrider/runtime";
import type { AttemptResult } from "../send/attempt-result.ts";

export const DEFAULT_MAX_CONCURRENCY = 16;
const FIRST_WINDOW = 2;
const UNUSED = { window: FIRST_WINDOW, lingering: 0 };
const IDLE_MS = 15 * 60_000;
const SWEEP_MS = 60_000;

/** What shows that somebody answers, and so that an attempt is over soon. */
const ANSWERS: ReadonlySet<Outcome> = new Set<Outcome>([
  "delivered",
  "http_error",
  "redirect",
  "response_too_large",
]);

interface Lane {
  window: number;
  standing: LaneStanding;
  /** Attempts since the last answer that timed out or were refused. */
  unanswered: number;
  cap: number;
  lingering: number;
  goneVersion: number;
  usedAt: MonotonicMs;
}

export class EndpointConcurrency {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #lanes = new Map<string, Lane>();
  #sweptAt: MonotonicMs;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#sweptAt = clock.monotonic();
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** `cap` is the endpoint's own limit now: a lane that has not begun yet must keep it too. */
  concurrencyOf(endpointId: string, cap: number): number {
    const lane = this.#lanes.get(endpointId);
    const { window, lingering } = lane ?? UNUSED;
    return Math.max(1, Math.min(window, cap) - lingering);
  }

  standingOf(endpointId: string): LaneStanding {
    return this.#lanes.get(endpointId)?.standing ?? "unknown";
  }

  /** An attempt begins; `cap` is the endpoint's own limit now. */
  begin(endpointId: string, cap: number): void {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt > SWEEP_MS) this.#sweep(now);
    const lane = this.#laneOf(endpointId);
    lane.cap = Math.max(1, cap);
    lane.usedAt = now;
  }

  ended(
    endpointId: string,
    { outcome, isBodyCut }: Pick<AttemptResult, "outcome" | "isBodyCut">,
  ): void {
    const lane = this.#laneOf(endpointId);
    if (outcome === "delivered") {
      if (!isBodyCut) lane.window = Math.min(lane.window + 1, lane.cap);
    } else if (outcome === "timeout" || outcome === "connection_refused") {
      lane.window = Math.max(1, Math.floor(lane.window / 2));
      lane.unanswered += 1;
      // One time-out among many answers says little, and a cap of up to 3 makes the window 1 at the first.
      const isSilent = lane.unanswered > 1 || lane.standing === "unknown";
      if (lane.window === 1 && isSilent) lane.standing = "suspect";
    }
    if (ANSWERS.has(outcome)) {
      lane.standing = "proven";
      lane.unanswered = 0;
    }
  }

  /** The socket of an attempt that is over is still there; it counts until `released`. */
  linger(endpointId: string, released: Promise<void>): void {
    const lane = this.#laneOf(endpointId);
    lane.lingering += 1;
    void released.then(() => (lane.lingering -= 1));
  }

  /** A 410 for this version: nothing more is sent until the endpoint has changed. */
  markGone(endpointId: string, version: number): void {
    this.#laneOf(endpointId).goneVersion = version;
  }

  isGone(endpointId: string, version: number): boolean {
    return (this.#lanes.get(endpointId)?.goneVersion ?? -1) >= version;
  }

  #laneOf(endpointId: string): Lane {
    let lane = this.#lanes.get(endpointId);
    if (lane === undefined) {
      lane = {
        window: FIRST_WINDOW,
        standing: "unknown",
        unanswered: 0,
        cap: DEFAULT_MAX_CONCURRENCY,
        lingering: 0,
        goneVersion: -1,
        usedAt: this.#clock.monotonic(),
      };
      this.#lanes.set(endpointId, lane);
    }
    return lane;
  }

  #sweep(now: MonotonicMs): void {
    this.#sweptAt = now;
    for (const [endpointId, lane] of this.#lanes) {
      if (now - lane.usedAt > IDLE_MS && lane.lingering === 0) {
        this.#lanes.delete(endpointId);
      }
    }
  }
}
