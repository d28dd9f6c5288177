/** Sends at a fixed rate whatever the sending takes: what comes late was still meant for its time. */
import { setTimeout as sleep } from "node:timers/promises";

export interface OpenLoop {
  readonly perSecond: number;
  /** Infinity: until `isOver`. */
  readonly count: number;
  readonly isOver?: () => boolean;
  /** Sends the records from `from` up to, and without, `to`; resolves when they are acknowledged. */
  readonly send: (from: number, to: number) => Promise<unknown>;
}

/** What becomes due within this is sent together, ms. */
const TICK_MS = 5;

/**
 * Resolves when all are acknowledged, with the monotonic time (µs, the sink's clock) at which the first was meant to be
 * sent; the i-th was meant `i / perSecond` seconds later. Rejects when a sending does.
 */
export async function openLoop(loop: OpenLoop): Promise<number> {
  const { perSecond, count, send, isOver = () => false } = loop;
  const startedAt = nowMicros();
  const sending = new Set<Promise<unknown>>();
  let failure = null as { readonly error: unknown } | null;
  for (let sent = 0; sent < count && failure === null && !isOver();) {
    const elapsedSeconds = (nowMicros() - startedAt) / 1e6;
    const due = Math.min(count, Math.floor(elapsedSeconds * perSecond) + 1);
    if (due > sent) {
      const part = send(sent, due)
        .catch((error: unknown) => (failure ??= { error }))
        .finally(() => sending.delete(part));
      sending.add(part);
      sent = due;
    }
    await sleep(TICK_MS);
  }
  await Promise.all(sending);
  if (failure !== null) throw failure.error;
  return startedAt;
}

/** When the `i`-th record of the loop was meant to be sent, µs. */
export function intendedMicros(
  startedAt: number,
  perSecond: number,
  i: number,
): number {
  return startedAt + (i * 1e6) / perSecond;
}

/** The machine's monotonic clock, as the sink reads it. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
