import { EXIT, type ExitCode } from "./cli-error.ts";

/** npm passes on the Ctrl-C that the terminal has already sent to us. A second signal within this time is taken for the same one. */
const SAME_SIGNAL_MS = 1_000;

let onFirst: ((signal: NodeJS.Signals) => void) | null = null;
let firstAt: number | null = null;

/** Handles SIGINT, SIGTERM and SIGHUP (the terminal was closed) for this process. `main.ts` calls it once. */
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
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. From then on the command shuts down in good order; a second Ctrl-C ends it
 * at once, and the processes that it started end with it. Until this function is called, a signal ends the process at once.
 */
export function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    onFirst = resolve;
  });
}
