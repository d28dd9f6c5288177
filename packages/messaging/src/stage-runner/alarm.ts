/** One timer for the earliest of several times. */
import type { MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";

export class Alarm {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #ring: (now: MonotonicMs) => void;
  #timer: NodeJS.Timeout | undefined;
  #at: MonotonicMs = Infinity;
  #isStopped = false;

  /** `ring` is never called before the time that was set. It may set the alarm again. */
  constructor(
    clock: Pick<Clock, "monotonic">,
    ring: (now: MonotonicMs) => void,
  ) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Does nothing if the alarm is set for this time or an earlier one. */
  set(at: MonotonicMs): void {
    if (this.#isStopped || at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, Math.ceil(at - this.#clock.monotonic()));
    this.#timer = setTimeout(() => this.#passed(), waitMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #passed(): void {
    const at = this.#at;
    const now = this.#clock.monotonic();
    this.#at = Infinity;
    // Node's timers can be early by up to a millisecond.
    if (now < at) this.set(at);
    else this.#ring(now);
  }
}
