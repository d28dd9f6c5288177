/**
 * What deliver has learnt about each endpoint, in memory: how many attempts may run at once (the window), whether the
 * endpoint answers (its standing), and which version answered 410.
 *
 * The window works like a TCP congestion window. It starts at 2, grows by one with each success up to the endpoint's cap,
 * and halves on a timeout or a refused connection, but never below 1. A success whose body ended too late does not grow the
 * window, because it held its slot too long. A socket that is still open after its attempt takes a place in the window.
 *
 * An endpoint becomes suspect when its window has shrunk to 1 and at least two attempts since its last answer have timed out
 * or were refused; if it has never answered, the first such attempt is enough. It stays suspect until it answers.
 * A proven one is quiet while attempts are in flight and for 1 s none has ended by itself. A time-out comes too late for this:
 * meanwhile endpoints that fall silent together would take every slot. One that has never answered stays unknown meanwhile,
 * because the slots that it holds must go on counting in the half that unknown ones may hold.
 *
 * When the endpoint's breaker closes, or the endpoint asks for a pause (`Retry-After`), the window starts again.
 *
 * An endpoint is forgotten after 15 idle minutes.
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
const QUIET_MS = 1_000;

/** Outcomes that prove that the endpoint answers, so that its attempts end soon. */
const ANSWERS: ReadonlySet<Outcome> = new Set<Outcome>([
  "delivered",
  "http_error",
  "redirect",
  "response_too_large",
]);

interface Lane {
  window: number;
  standing: LaneStanding;
  hasAnswered: boolean;
  /** Attempts since the last answer that timed out or were refused. */
  unanswered: number;
  cap: number;
  inFlight: number;
  /** When an attempt last ended by itself, or since when any has been in flight; null while none is. */
  quietSince: MonotonicMs | null;
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

  /** How many attempts may run at once. `cap` is the endpoint's `maxConcurrency` now, which also bounds a lane without any attempt yet. */
  concurrencyOf(endpointId: string, cap: number): number {
    const lane = this.#lanes.get(endpointId);
    const { window, lingering } = lane ?? UNUSED;
    return Math.max(1, Math.min(window, cap) - lingering);
  }

  standingOf(endpointId: string): LaneStanding {
    const lane = this.#lanes.get(endpointId);
    if (lane === undefined) return "unknown";
    const { standing, quietSince } = lane;
    const isQuiet =
      standing === "proven" &&
      quietSince !== null &&
      this.#clock.monotonic() - quietSince > QUIET_MS;
    return isQuiet ? "quiet" : standing;
  }

  /** This process has tried the endpoint, not longer ago than endpoints are remembered. */
  knows(endpointId: string): boolean {
    return this.#lanes.has(endpointId);
  }

  /** The endpoint has answered this process, with any status. */
  hasAnswered(endpointId: string): boolean {
    return this.#lanes.get(endpointId)?.hasAnswered ?? false;
  }

  /** The endpoint must be approached slowly again. */
  restart(endpointId: string): void {
    this.#laneOf(endpointId).window = FIRST_WINDOW;
  }

  /** An attempt begins; `cap` is the endpoint's `maxConcurrency` now. */
  begin(endpointId: string, cap: number): void {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt > SWEEP_MS) this.#sweep(now);
    const lane = this.#laneOf(endpointId);
    lane.cap = Math.max(1, cap);
    lane.usedAt = now;
    lane.inFlight += 1;
    lane.quietSince ??= now;
  }

  /** An attempt that began was not made, through no fault of the endpoint. */
  notSent(endpointId: string): void {
    this.#leave(this.#laneOf(endpointId));
  }

  ended(
    endpointId: string,
    { outcome, isBodyLate }: Pick<AttemptResult, "outcome" | "isBodyLate">,
  ): void {
    const lane = this.#laneOf(endpointId);
    if (outcome !== "timeout" && !isBodyLate)
      lane.quietSince = this.#clock.monotonic();
    this.#leave(lane);
    if (outcome === "delivered") {
      if (!isBodyLate) lane.window = Math.min(lane.window + 1, lane.cap);
    } else if (outcome === "timeout" || outcome === "connection_refused") {
      lane.window = Math.max(1, Math.floor(lane.window / 2));
      lane.unanswered += 1;
      // Two in a row, because one timeout among many answers proves little, and with a cap of up to 3 the first one already
      // makes the window 1.
      const isSilent = lane.unanswered > 1 || lane.standing === "unknown";
      if (lane.window === 1 && isSilent) lane.standing = "suspect";
    }
    if (ANSWERS.has(outcome)) {
      lane.standing = "proven";
      lane.hasAnswered = true;
      lane.unanswered = 0;
    }
  }

  /** An attempt has ended but its socket is still open: the socket counts until `released` resolves. */
  linger(endpointId: string, released: Promise<void>): void {
    const lane = this.#laneOf(endpointId);
    lane.lingering += 1;
    void released.then(() => (lane.lingering -= 1));
  }

  /** This version answered 410: nothing more is sent to it until the endpoint has a newer version. */
  markGone(endpointId: string, version: number): void {
    this.#laneOf(endpointId).goneVersion = version;
  }

  isGone(endpointId: string, version: number): boolean {
    return (this.#lanes.get(endpointId)?.goneVersion ?? -1) >= version;
  }

  #leave(lane: Lane): void {
    lane.inFlight -= 1;
    if (lane.inFlight === 0) lane.quietSince = null;
  }

  #laneOf(endpointId: string): Lane {
    let lane = this.#lanes.get(endpointId);
    if (lane === undefined) {
      lane = {
        window: FIRST_WINDOW,
        standing: "unknown",
        hasAnswered: false,
        unanswered: 0,
        cap: DEFAULT_MAX_CONCURRENCY,
        inFlight: 0,
        quietSince: null,
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
      const isUsed = lane.inFlight > 0 || lane.lingering > 0;
      if (now - lane.usedAt > IDLE_MS && !isUsed)
        this.#lanes.delete(endpointId);
    }
  }
}
