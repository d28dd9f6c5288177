/** Tells, by our clock, how long ago the broker appended a record, and measures the difference between the two clocks. */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Clock, Meter } from "@postrider/runtime";

const WINDOW_MS = 10_000;

export class BrokerClock {
  readonly #clock: Clock;
  readonly #difference: ReturnType<Meter["gauge"]>;
  #windowFrom: MonotonicMs;
  #leastMs = Infinity;

  constructor(clock: Clock, meter: Meter) {
    this.#clock = clock;
    this.#windowFrom = clock.monotonic();
    this.#difference = meter.gauge(
      "postrider_broker_clock_difference_seconds",
      "Our clock less the broker's, by the youngest record of the last ten seconds (so with the time it took to get here). Far from zero, waits are made of more or longer hops.",
    );
  }

  /** Milliseconds since the append, clamped to [0, `atMostMs`]: a wrong timestamp can shorten or lengthen one hop only, by at most `atMostMs`. */
  sinceAppend(appendedAt: EpochMs, atMostMs: number): number {
    const elapsedMs = this.#clock.now() - appendedAt;
    this.#observe(elapsedMs);
    return Math.min(Math.max(elapsedMs, 0), atMostMs);
  }

  #observe(elapsedMs: number): void {
    const now = this.#clock.monotonic();
    if (now - this.#windowFrom > WINDOW_MS) {
      this.#windowFrom = now;
      this.#leastMs = Infinity;
    }
    if (elapsedMs >= this.#leastMs) return;
    this.#leastMs = elapsedMs;
    this.#difference.set(elapsedMs / 1_000);
  }
}
