import type { Clock } from "@postrider/runtime";
import { sleep } from "@postrider/runtime";
import { untilLeased, type Lease } from "./lease.ts";

/**
 * A chunk is handed over bit by bit, so many milliseconds after each other. At once it would stand in `deliveries` before everything that
 * comes next, and the dispatchers need a tenth of a second for some 400: everybody's deliveries would be late by that.
 */
const BIT_MS = 20;

/** Spreads the items over `overMs` evenly. Each bit waits for the one before to be sent. Rejects with the signal's reason between two bits. */
export async function bitByBit<Item>(
  items: readonly Item[],
  {
    overMs,
    signal,
    clock,
    ...lease
  }: Lease & {
    readonly overMs: number;
    readonly signal: AbortSignal;
    readonly clock: Pick<Clock, "monotonic">;
  },
  send: (bit: readonly Item[]) => Promise<void>,
): Promise<void> {
  const startedAt = clock.monotonic();
  const size = Math.max(1, Math.ceil((items.length * BIT_MS) / overMs));
  for (let at = 0; at < items.length; at += size) {
    const dueMs = (at / items.length) * overMs;
    const waitMs = dueMs - (clock.monotonic() - startedAt);
    if (waitMs > 0) await sleep(waitMs, { signal });
    await untilLeased(lease, signal);
    await send(items.slice(at, at + size));
  }
}
