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
 * is used, and the log says so. Throws only if the secret could never be read.
 */
export function lastGood<T>(read: () => T, kept: KeptSecret): () => T {
  let known: { readonly value: T } | null = null;
  return () => {
    try {
      known = { value: read() };
    } catch (error) {
      if (known === null) throw error;
      kept.log.warn(kept.event, {
        variable: kept.variable,
        error,
        what: "New connections use what was read before.",
      });
    }
    return known.value;
  };
}
