/** Stops services as they promise to stop, and says for which of them it waits. */
import { LONGEST_STOP_MS, STOP_PATIENCE_MS } from "@postrider/runtime";
import type { ServiceExit, ServiceProcess } from "./service-process.ts";

export interface StopOptions {
  /** After this a service is killed. Default `STOP_PATIENCE_MS`. */
  readonly withinMs?: number | undefined;
  /** Default SIGTERM. */
  readonly signal?: NodeJS.Signals | undefined;
  /** Called once with a sentence, if services take longer than 2 s. */
  readonly onLate?: ((text: string) => void) | undefined;
}

/** A stop usually takes less than this, ms. */
const LATE_AFTER_MS = 2_000;

/** Sends the signal to all at once, then SIGKILL to those that have not ended in time. Resolves with their exits, in the same order. Calling it twice is safe. */
export async function stopServices(
  services: readonly ServiceProcess[],
  { withinMs = STOP_PATIENCE_MS, signal, onLate }: StopOptions = {},
): Promise<ServiceExit[]> {
  const late = setTimeout(() => {
    const left = services.filter((service) => !service.hasExited());
    onLate?.(stillStopping(left.map(({ name }) => name)));
  }, LATE_AFTER_MS);
  try {
    return await Promise.all(
      services.map((service) => service.stop(withinMs, signal)),
    );
  } finally {
    clearTimeout(late);
  }
}

function stillStopping(names: readonly string[]): string {
  const isOne = names.length === 1;
  const mayBeLong = names.includes("dispatcher")
    ? " (an attempt may take a minute)"
    : "";
  return `Waiting for ${names.join(", ")}: ${isOne ? "it finishes" : "they finish"} what is under way${mayBeLong}, for up to ${LONGEST_STOP_MS / 1000} s. Ctrl-C again ends ${isOne ? "it" : "them"} at once.`;
}
