import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";

/** A clock that moves only when a test moves it. */
export interface FakeClock extends Clock {
  now(): EpochMs;
  monotonic(): MonotonicMs;
  /** Moves both times forward by `ms`. */
  advance(ms: number): void;
  /** Sets the wall clock only, as an administrator may; monotonic time stays. */
  setNow(at: EpochMs): void;
}

/** Starts at 2026-01-01T00:00:00Z, monotonic 0, unless another start is given. */
export function fakeClock(startAt: EpochMs = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startAt;
  let monotonic = 0;
  return {
    now: () => now,
    monotonic: () => monotonic,
    advance: (ms) => {
      now += ms;
      monotonic += ms;
    },
    setNow: (at) => {
      now = at;
    },
  };
}
