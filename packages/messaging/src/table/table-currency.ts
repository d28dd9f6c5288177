/**
 * Since when a table may lack changes of its topic.
 *
 * Invariant: at the time `#asOf` the leaders of all partitions were asked where their logs end, and everything up to those ends
 * has been read since. So a table that reads nothing because nobody writes is current. A table whose leader is away, or that
 * cannot keep up, is not current, even if the heartbeats of its group are acknowledged.
 */
import type { MonotonicMs } from "@postrider/core";
import { sleep, type Clock, type Log } from "@postrider/runtime";

/** From one time that the leaders are asked to the next, ms. */
const ASK_EVERY_MS = 1_000;
const RETRY_MS = 200;
/**
 * A table is behind after this, ms. It is longer than the second between two questions plus the delays of a busy broker or process.
 * It is shorter than the 9 s after which Kafka makes another broker the leader of a silent broker's partitions: we could then lack
 * records that the new leader takes.
 */
const BEHIND_MS = 5_000;

export interface TableCurrencyOptions {
  readonly topic: string;
  /**
   * Asks once for the log ends. True once everything up to them has been read; false if that takes so long that the ends
   * should be asked for again. Rejects if a leader does not answer.
   */
  readonly isReadToEnd: () => Promise<boolean>;
  /** Whether nothing of what was read is missing in the table: no hole, and nothing waits for its schema. */
  readonly isWhole: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export class TableCurrency {
  readonly #options: TableCurrencyOptions;
  readonly #closing = new AbortController();
  #asOf: MonotonicMs = -Infinity;
  /** As `#asOf`, of the last time that the table was whole then, too. */
  #wholeAsOf: MonotonicMs = -Infinity;
  #isBehind = false;

  constructor(options: TableCurrencyOptions) {
    this.#options = options;
  }

  /** Begins to ask. `asOf`: when we asked for the log ends up to which the table has been read so far. */
  start(asOf: MonotonicMs): void {
    this.#asOf = asOf;
    this.#wholeAsOf = asOf;
    void this.#follow();
  }

  stop(): void {
    this.#closing.abort();
  }

  /** How long ago the table was last known to be current, ms; null if that is not longer than `BEHIND_MS`. */
  behindMs(): number | null {
    const ageMs = this.#options.clock.monotonic() - this.#asOf;
    return ageMs > BEHIND_MS ? ageMs : null;
  }

  /** How long ago the table was last known to hold all of its topic, ms. With a hole from its start on, how long ago that was. */
  ageMs(): number {
    return this.#options.clock.monotonic() - this.#wholeAsOf;
  }

  async #follow(): Promise<void> {
    const { isReadToEnd, clock, log, topic } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const askedAt = clock.monotonic();
      const late = setTimeout(() => this.#noteBehind(), BEHIND_MS);
      try {
        if (await isReadToEnd()) this.#readToEnd(askedAt);
      } catch (error) {
        log.debug("table.endNotRead", { topic, error: String(error) });
      } finally {
        clearTimeout(late);
      }
      this.#noteBehind();
      const leftMs = ASK_EVERY_MS - (clock.monotonic() - askedAt);
      await sleep(Math.max(RETRY_MS, leftMs), { signal });
    }
  }

  #readToEnd(asOf: MonotonicMs): void {
    // First, or a table that was behind for less than the time between two notes would never be logged.
    this.#noteBehind();
    this.#asOf = asOf;
    if (this.#options.isWhole()) this.#wholeAsOf = asOf;
    if (!this.#isBehind || this.behindMs() !== null) return;
    this.#isBehind = false;
    this.#options.log.info("table.caughtUp", { topic: this.#options.topic });
  }

  /** Logs that the table is behind, if it is: once, until it is current again. */
  #noteBehind(): void {
    const behindMs = this.behindMs();
    if (behindMs === null || this.#isBehind) return;
    this.#isBehind = true;
    const { log, topic } = this.#options;
    log.warn("table.fellBehind", { topic, behindMs: Math.round(behindMs) });
  }
}
