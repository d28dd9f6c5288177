import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { ConnectionPool, type Poolable } from "./connection-pool.ts";

interface Fake extends Poolable {
  isConnected: boolean;
}

const aConnection = (origin: string, madeAt: number): Fake => ({
  origin,
  madeAt,
  isConnected: true,
  restingAt: -1,
});

const MAX_RESTING = 6;

test("a taken connection rested, is connected and young, and is taken once; if too many rest, the one that rested longest is dropped", () => {
  const operation = fc.record({
    kind: fc.constantFrom("give", "take", "lose", "age", "room"),
    origin: fc.constantFrom("a", "b"),
    pick: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      // The model: resting connections, the one that has rested longest first.
      let resting: Fake[] = [];
      const discarded = new Set<Fake>();
      const pool = new ConnectionPool<Fake>(
        { ttlMs: 100, maxResting: MAX_RESTING },
        (connection) => discarded.add(connection),
      );
      let now = 0;

      for (const { kind, origin, pick } of operations) {
        const chosen = resting[pick % Math.max(1, resting.length)];
        if (kind === "age") now += pick;
        if (kind === "give") {
          const connection = aConnection(origin, now);
          const isFull = resting.length === MAX_RESTING;
          const [longest] = resting;
          resting.push(connection);
          expect(pool.giveBack(connection)).toBe(!isFull);
          if (isFull) expect(discarded).toContain(longest);
        }
        if (kind === "room") {
          const count = pick % 4;
          expect(pool.takeLongest(count)).toEqual(resting.slice(0, count));
          resting = resting.slice(count);
        }
        if (kind === "lose" && chosen !== undefined) {
          chosen.isConnected = false;
          if (pick % 2 === 0) {
            expect(pool.remove(chosen)).toBe(true);
            expect(pool.remove(chosen)).toBe(false);
            resting = resting.filter((each) => each !== chosen);
          }
        }
        if (kind === "take") {
          const taken = pool.take(origin, now);
          const usable = resting.filter(
            (each) =>
              each.origin === origin &&
              each.isConnected &&
              now - each.madeAt < 100,
          );
          expect(taken === null).toBe(usable.length === 0);
          if (taken !== null) expect(usable).toContain(taken);
          resting = resting.filter((each) => each !== taken);
        }
        resting = resting.filter((each) => !discarded.has(each));
        expect(pool.size).toBe(resting.length);
      }
    }),
  );
});
