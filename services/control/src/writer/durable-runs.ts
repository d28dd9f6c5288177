/**
 * Works off what the topic `control` says is running, while this process is the owner: one run for each key at a time. A run ends with
 * the tenure; the next owner finds its key in `control` and goes on from the last checkpoint. A run that fails is tried again.
 */
import type { EpochMs } from "@postrider/core";
import { sleep, within, type Clock } from "@postrider/runtime";
import type { Ownership, Tenure } from "./ownership.ts";

/** After the first failed round; twice as long after each further one. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export interface DurableRuns {
  /** Begins the key's run, unless it has one already, nothing is running under it, or this process is not the owner. */
  begin(key: string): void;
  /** Whether a run of the key has not ended yet, also where what it works off was stopped meanwhile. */
  has(key: string): boolean;
  stop(deadline: EpochMs): Promise<void>;
}

export interface DurableRunsOptions<T extends { readonly id: string }> {
  readonly ownership: Pick<Ownership, "onTenure" | "tenure">;
  /** What is running under the key; `undefined` if nothing is. */
  readonly running: (key: string) => T | undefined;
  /** The keys of all that is running. */
  readonly keys: () => Iterable<string>;
  readonly run: (value: T, signal: AbortSignal) => Promise<void>;
  /** A round failed and is tried again. */
  readonly failed: (key: string, error: unknown, failures: number) => void;
  readonly clock: Clock;
  /** The wait after a first failed round, ms. Default 1,000. */
  readonly retryMs?: number | undefined;
}

export function createDurableRuns<T extends { readonly id: string }>(
  options: DurableRunsOptions<T>,
): DurableRuns {
  const { ownership, running, clock, retryMs = RETRY_MS } = options;
  const closing = new AbortController();
  const runs = new Map<string, Promise<void>>();

  /** Runs what is running under the key, and what follows it there, until nothing is or the tenure is over. */
  async function work(key: string, tenure: Tenure): Promise<void> {
    const signal = AbortSignal.any([tenure.ended, closing.signal]);
    let failures = 0;
    while (!signal.aborted) {
      const value = running(key);
      if (value === undefined) return;
      try {
        await options.run(value, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        // A round that stored something has got on.
        failures = running(key) === value ? failures + 1 : 1;
        options.failed(key, error, failures);
        const waitMs = Math.min(MAX_RETRY_MS, retryMs * 2 ** (failures - 1));
        await sleep(waitMs, { signal });
      }
    }
  }

  function begin(key: string): void {
    const tenure = ownership.tenure();
    if (tenure === null || closing.signal.aborted || runs.has(key)) return;
    if (running(key) === undefined) return;
    const run = work(key, tenure).finally(() => {
      runs.delete(key);
      // A new tenure may have begun, or something new under the key, while this run was ending.
      begin(key);
    });
    runs.set(key, run);
  }

  ownership.onTenure(() => {
    for (const key of options.keys()) begin(key);
  });

  return {
    begin,
    has: (key) => runs.has(key),
    async stop(deadline) {
      closing.abort();
      await within(Promise.all(runs.values()), deadline - clock.now());
    },
  };
}
