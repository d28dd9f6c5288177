import type { Clock } from "@postrider/runtime";
import { sleep } from "@postrider/runtime";
import { untilLeased, type Lease } from "./lease.ts";

/**
 * A chunk is handed over bit by bit, so many milliseconds after each other. At once it would stand in `deliveries` before everything that
 * comes next, and the dispatchers need a tenth of a second for some 400: everybody's deliveries would be late by that.
 */
const BIT_MS = 20;

/**
 * Spreads the items over `overMs` evenly. Each bit waits for the one before to be sent, and what came due meanwhile goes with the next:
 * else a Kafka that takes longer than a bit's time to acknowledge would lower the rate. Rejects with the signal's reason between two bits.
 */
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
  for (let at = 0; at < items.length;) {
    const dueMs = (at / items.length) * overMs;
    const waitMs = dueMs - (clock.monotonic() - startedAt);
    const lateMs = Math.max(0, -waitMs);
    const size = Math.ceil((items.length * (lateMs + BIT_MS)) / overMs);
    if (waitMs > 0) await sleep(waitMs, { signal });
    await untilLeased(lease, signal);
    await send(items.slice(at, at + size));
    at += size;
  }
}
