/**
 * Which schemas of the registry are known, and when the registry is asked for others.
 *
 * Invariant: however many records name however many ids, the registry gets at most `MOST_AT_ONCE` requests at a time, one for an
 * id, and `PER_SECOND` a second. While it fails it gets one at a time, less and less often, until one is answered. Which id is
 * next, `WantedIds` decides.
 * There is no timer: who waits for a schema asks again, and each time is a chance to send what is due.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Clock, Log } from "@postrider/runtime";
import type { WriterSchema } from "./avro-codec.ts";
import { failureReason } from "./failure-reason.ts";
import { WantedIds } from "./wanted-ids.ts";

export interface LookUpsOptions {
  /** Asks the registry once. Rejects where the registry fails; that it has no such schema is an answer. */
  readonly ask: (id: number) => Promise<WriterSchema>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a registry's "there is no such schema" counts, ms. Default 10 s. */
  readonly absentMs?: number | undefined;
  /** The first wait after a failure, ms. It doubles up to `LONGEST_WAIT_FACTOR` times as much. Default 500. */
  readonly failedMs?: number | undefined;
  /** From 0 to 1; default `Math.random`. Processes that failed together do not come back together. */
  readonly random01?: (() => number) | undefined;
}

export interface LookUps {
  /** Answers from memory. An id that is not known gives `unknown`, and is wanted from then on. */
  byId(id: number): WriterSchema;
  /** What is known without having asked. */
  learn(id: number, schema: WriterSchema): void;
  /** Why the registry cannot be asked now, as a sentence; null if its last answer was one, or if nothing has failed for `TOLD_MS`. */
  problem(): string | null;
}

const MOST_AT_ONCE = 4;
const PER_SECOND = 50;
const LONGEST_WAIT_FACTOR = 16;
/** Garbage names any number of ids: of more, the first are forgotten. */
const MOST_REMEMBERED = 10_000;
/** Who waits for a schema asks more often. After this nobody does, and what failed last says nothing of now. */
const TOLD_MS = 60_000;

/** An id that was asked for in vain. */
interface Miss {
  readonly schema: WriterSchema;
  /** Not asked for again before. */
  readonly until: MonotonicMs;
  readonly failures: number;
}

export function createLookUps(options: LookUpsOptions): LookUps {
  const { ask, clock, log, absentMs = 10_000, failedMs = 500 } = options;
  const random01 = options.random01 ?? Math.random;
  const found = new Map<number, WriterSchema>();
  const missed = new Map<number, Miss>();
  const wanted = new WantedIds();
  const asking = new Set<number>();
  const pace = new Pace(clock.monotonic());
  /** Failures since the last answer, and when the next request may leave. */
  let failures = 0;
  let waitUntil: MonotonicMs = -Infinity;
  let problem: string | null = null;
  let toldUntil: MonotonicMs = -Infinity;

  function backOffMs(times: number): number {
    const wholeMs =
      failedMs * Math.min(LONGEST_WAIT_FACTOR, 2 ** Math.min(times - 1, 10));
    return wholeMs * (0.75 + random01() / 4);
  }

  function sendWanted(): void {
    const now = clock.monotonic();
    const most = failures > 0 ? 1 : MOST_AT_ONCE;
    while (wanted.size > 0 && asking.size < most && now >= waitUntil) {
      if (!pace.take(now)) return;
      const id = wanted.next();
      if (id === undefined) return;
      wanted.delete(id);
      asking.add(id);
      void look(id, now);
    }
  }

  async function look(id: number, at: MonotonicMs): Promise<void> {
    try {
      const schema = await ask(id);
      answered();
      if (schema.kind === "found") learn(id, schema);
      else remember(id, { schema, until: untilAfter(absentMs), failures: 0 });
    } catch (error) {
      failed(id, at, error);
    } finally {
      asking.delete(id);
    }
    sendWanted();
  }

  function answered(): void {
    if (failures > 0) log.info("registry.answered", { failures });
    failures = 0;
    waitUntil = -Infinity;
    problem = null;
  }

  function failed(id: number, askedAt: MonotonicMs, error: unknown): void {
    const reason = failureReason(error);
    log.warn("registry.failed", { schemaId: id, error: reason });
    problem = `the schema registry does not answer as it should: ${reason}`;
    toldUntil = untilAfter(TOLD_MS);
    // Requests that were under way together fail together: they count once.
    if (failures === 0 || askedAt >= waitUntil) {
      failures++;
      waitUntil = untilAfter(backOffMs(failures));
    }
    const times = (missed.get(id)?.failures ?? 0) + 1;
    // An id that fails while others are answered waits by itself.
    remember(id, {
      schema: { kind: "unknown" },
      until: untilAfter(backOffMs(times)),
      failures: times,
    });
  }

  function untilAfter(ms: number): MonotonicMs {
    return clock.monotonic() + ms;
  }

  function remember(id: number, miss: Miss): void {
    missed.delete(id);
    const [oldest] = missed.keys();
    if (oldest !== undefined && missed.size >= MOST_REMEMBERED)
      missed.delete(oldest);
    missed.set(id, miss);
  }

  function learn(id: number, schema: WriterSchema): void {
    missed.delete(id);
    wanted.known(id);
    found.set(id, schema);
  }

  return {
    byId(id) {
      const known = found.get(id);
      if (known !== undefined) return known;
      const miss = missed.get(id);
      const isRecent = miss !== undefined && miss.until > clock.monotonic();
      if (!isRecent && !asking.has(id)) wanted.add(id);
      sendWanted();
      return isRecent ? miss.schema : { kind: "unknown" };
    },
    learn,
    problem: () => (clock.monotonic() < toldUntil ? problem : null),
  };
}

/** At most `PER_SECOND` a second; what was not used is saved up for one second. */
class Pace {
  #left = PER_SECOND;
  #at: MonotonicMs;

  constructor(now: MonotonicMs) {
    this.#at = now;
  }

  take(now: MonotonicMs): boolean {
    const earned = ((now - this.#at) / 1000) * PER_SECOND;
    this.#left = Math.min(PER_SECOND, this.#left + earned);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
