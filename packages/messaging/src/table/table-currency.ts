/**
 * As of when a table is known to be what its topic says.
 *
 * Invariant: `#asOf` is a moment in which the leaders of all partitions were asked where their logs end, and everything up to
 * those ends has been read. So a table that reads nothing because nobody writes is current, and one whose leader is away, or
 * that cannot keep up, is not, whatever the heartbeats of its group say.
 */
import type { MonotonicMs } from "@postrider/core";
import { sleep, type Clock, type Log } from "@postrider/runtime";

/** How often the leaders are asked, ms. */
const ASK_EVERY_MS = 1_000;
const RETRY_MS = 200;
/**
 * A table is behind after this, ms. Above a second of asking and what a busy broker or process adds to it; below the 9 s after
 * which Kafka gives a silent broker's partitions another leader, whose records we could then lack.
 */
const BEHIND_MS = 5_000;

export interface TableCurrencyOptions {
  readonly topic: string;
  /** Asks once, and resolves when everything has been read that was there; rejects where a leader does not answer. */
  readonly readToEnd: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

export class TableCurrency {
  readonly #options: TableCurrencyOptions;
  readonly #closing = new AbortController();
  #asOf: MonotonicMs = -Infinity;
  #isBehind = false;

  constructor(options: TableCurrencyOptions) {
    this.#options = options;
  }

  /** `asOf`: when the ends were asked for up to which the table has been read so far. */
  start(asOf: MonotonicMs): void {
    this.#asOf = asOf;
    void this.#follow();
  }

  stop(): void {
    this.#closing.abort();
  }

  /** How long ago the table was last known to be current, where that is too long; else null. */
  behindMs(): number | null {
    const ageMs = this.#options.clock.monotonic() - this.#asOf;
    return ageMs > BEHIND_MS ? ageMs : null;
  }

  async #follow(): Promise<void> {
    const { readToEnd, clock, log, topic } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const askedAt = clock.monotonic();
      const late = setTimeout(() => this.#fellBehind(), BEHIND_MS);
      try {
        await readToEnd();
        this.#asOf = askedAt;
        if (this.#isBehind && this.behindMs() === null) {
          this.#isBehind = false;
          log.info("table.caughtUp", { topic });
        }
      } catch (error) {
        log.debug("table.endNotRead", { topic, error: String(error) });
      } finally {
        clearTimeout(late);
      }
      this.#fellBehind();
      const leftMs = ASK_EVERY_MS - (clock.monotonic() - askedAt);
      await sleep(Math.max(RETRY_MS, leftMs), { signal });
    }
  }

  /** Said once, until it is current again. */
  #fellBehind(): void {
    const behindMs = this.behindMs();
    if (behindMs === null || this.#isBehind) return;
    this.#isBehind = true;
    const { log, topic } = this.#options;
    log.warn("table.fellBehind", { topic, behindMs: Math.round(behindMs) });
  }
}
