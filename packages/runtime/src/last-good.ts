import type { Log } from "./effects.ts";

/** Who warns of what could not be read again, and how. */
export interface KeptSecret {
  /** The log line, such as `kafka.secretNotReadAgain`. */
  readonly event: string;
  readonly variable: string;
  readonly log: Pick<Log, "warn">;
}

/**
 * Reads a secret again at each call. A file that is just being replaced may be missing or half written: then the last good value
 * is used, and the log says so, once until it was read again. Throws only if the secret could never be read.
 */
export function lastGood<T>(read: () => T, kept: KeptSecret): () => T {
  let known: { readonly value: T } | null = null;
  let isTold = false;
  return () => {
    try {
      known = { value: read() };
      isTold = false;
    } catch (error) {
      if (known === null) throw error;
      if (!isTold)
        kept.log.warn(kept.event, {
          variable: kept.variable,
          error,
          what: "What was read before is used until the file can be read again.",
        });
      isTold = true;
    }
    return known.value;
  };
}
