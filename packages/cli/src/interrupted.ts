import { EXIT } from "./cli-error.ts";

/** npm passes on the Ctrl-C that the terminal has sent us already: what comes this soon is the same one. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Resolves at the first SIGINT or SIGTERM; from then on the command ends itself in good order, and whoever presses
 * Ctrl-C again ends it at once: what it started ends with it. Until this is called, a signal simply ends the process.
 */
export function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | null = null;
    const onSignal = (signal: NodeJS.Signals): void => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_SIGNAL_MS)
        process.exit(EXIT.interrupted);
      resolve(signal);
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.removeAllListeners(signal).on(signal, onSignal);
  });
}
