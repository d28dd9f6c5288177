import { EXIT, type ExitCode } from "./cli-error.ts";

/** npm passes on the Ctrl-C that the terminal has sent us already: what comes this soon is the same one. */
const SAME_SIGNAL_MS = 1_000;

let onFirst: ((signal: NodeJS.Signals) => void) | null = null;
let firstAt: number | null = null;

/** What SIGINT, SIGTERM and SIGHUP (the terminal was closed) do to this process; called once, by `main.ts`. */
export function listenForInterrupts(exit: (code: ExitCode) => void): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (onFirst === null) return exit(EXIT.interrupted);
    firstAt ??= performance.now();
    if (performance.now() - firstAt > SAME_SIGNAL_MS)
      return exit(EXIT.interrupted);
    onFirst(signal);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal).on("SIGHUP", onSignal);
}

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP; from then on the command ends itself in good order, and whoever presses
 * Ctrl-C again ends it at once: what it started ends with it. Until this is called, a signal simply ends the process.
 */
export function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    onFirst = resolve;
  });
}
