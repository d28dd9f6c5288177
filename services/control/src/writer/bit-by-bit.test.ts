import { expect, test } from "@jest/globals";
import { fakeClock } from "@postrider/testkit";
import { bitByBit } from "./bit-by-bit.ts";

const ITEMS = Array.from({ length: 250 }, (_, n) => n);
const LEASED = { heartbeatAgeMs: () => 0, sessionTimeoutMs: 1_000 };

/** Hands over the items in half a second of which each bit takes `ackMs`. */
async function handedOver(ackMs: number) {
  const clock = fakeClock();
  const startedAt = clock.monotonic();
  const bits: (readonly number[])[] = [];
  await bitByBit(
    ITEMS,
    { ...LEASED, clock, overMs: 500, signal: new AbortController().signal },
    async (bit) => {
      bits.push(bit);
      clock.advance(ackMs);
    },
  );
  return { bits, tookMs: clock.monotonic() - startedAt };
}

test("each item is handed over once, in its order", async () => {
  const { bits } = await handedOver(20);

  expect(bits.flat()).toEqual(ITEMS);
  expect(bits.length).toBeGreaterThan(20);
});

test("where each bit takes long to be acknowledged, bits are larger and the rate is kept", async () => {
  const { bits, tookMs } = await handedOver(100);

  expect(bits.flat()).toEqual(ITEMS);
  expect(tookMs).toBeLessThanOrEqual(600);
});

test("one bit has all where no time is given for them", async () => {
  const bits: (readonly number[])[] = [];
  await bitByBit(
    ITEMS,
    {
      ...LEASED,
      clock: fakeClock(),
      overMs: 0,
      signal: new AbortController().signal,
    },
    async (bit) => void bits.push(bit),
  );

  expect(bits).toEqual([ITEMS]);
});
