import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { ConnectionPool, type Poolable } from "./connection-pool.ts";

interface Fake extends Poolable {
  isConnected: boolean;
  isClosed: boolean;
}

function aConnection(origin: string, madeAt: number): Fake {
  const connection: Fake = {
    origin,
    madeAt,
    isConnected: true,
    restingAt: -1,
    isClosed: false,
    close: () => {
      connection.isClosed = true;
    },
  };
  return connection;
}

test("what is taken rests, is connected and young, and is taken once", () => {
  const operation = fc.record({
    kind: fc.constantFrom("give", "take", "lose", "age"),
    origin: fc.constantFrom("a", "b"),
    pick: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const pool = new ConnectionPool<Fake>(100);
      const resting = new Set<Fake>();
      let now = 0;

      for (const { kind, origin, pick } of operations) {
        const [chosen] = [...resting].slice(pick % Math.max(1, resting.size));
        if (kind === "age") now += pick;
        if (kind === "give") {
          const connection = aConnection(origin, now);
          resting.add(connection);
          pool.giveBack(connection);
        }
        if (kind === "lose" && chosen !== undefined) {
          chosen.isConnected = false;
          if (pick % 2 === 0) {
            expect(pool.remove(chosen)).toBe(true);
            expect(pool.remove(chosen)).toBe(false);
            resting.delete(chosen);
          }
        }
        if (kind === "take") {
          const taken = pool.take(origin, now);
          const usable = [...resting].filter(
            (each) =>
              each.origin === origin &&
              each.isConnected &&
              now - each.madeAt < 100,
          );
          expect(taken === null).toBe(usable.length === 0);
          if (taken !== null) expect(usable).toContain(taken);
          for (const each of resting)
            if (each.isClosed || each === taken) resting.delete(each);
        }
      }

      for (const each of resting) expect(each.isClosed).toBe(false);
    }),
  );
});
