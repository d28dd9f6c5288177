/** Sends at a fixed rate, however long each send takes: a late record still counts from the time for which it was planned. */
import { setTimeout as sleep } from "node:timers/promises";

export interface OpenLoop {
  readonly perSecond: number;
  /** The number of records; Infinity: until `isOver`. */
  readonly count: number;
  readonly isOver?: () => boolean;
  /** Sends the records from `from` up to, but not including, `to`; resolves when they are acknowledged. */
  readonly send: (from: number, to: number) => Promise<unknown>;
}

/** Records that become due within this time (ms) are sent together. */
const TICK_MS = 5;

/**
 * Resolves when all records are acknowledged, with the time for which the first was planned (monotonic µs, the sink's
 * clock); the i-th was planned `i / perSecond` seconds later. Rejects when a send does.
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

/** The time for which the `i`-th record of the loop was planned, µs. */
export function intendedMicros(
  startedAt: number,
  perSecond: number,
  i: number,
): number {
  return startedAt + (i * 1e6) / perSecond;
}

/** The machine's monotonic clock (µs), as the sink reads it. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
