import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { DEFAULT_TIERS, nextHop, parseTiers, planWait } from "./index.ts";

const tiers = parseTiers(DEFAULT_TIERS);
const HOUR = 3_600_000;

test("tiers are read with their units and sorted", () => {
  expect(parseTiers("1h, 500ms,2m,1s")).toEqual([
    { name: "500ms", delayMs: 500, topic: "retry.500ms" },
    { name: "1s", delayMs: 1_000, topic: "retry.1s" },
    { name: "2m", delayMs: 120_000, topic: "retry.2m" },
    { name: "1h", delayMs: HOUR, topic: "retry.1h" },
  ]);
});

test.each(["", "1", "s", "1s,", "0s", "-1s", "1.5s", "25h", "1d", "60s,1m"])(
  "the tiers %j are refused",
  (text) => {
    expect(() => parseTiers(text)).toThrow(RangeError);
  },
);

test.each([
  // asked, first tier, the whole wait
  [0, null, 0],
  [-5, null, 0],
  [NaN, null, 0],
  [1, "1s", 1_000], // shorter than every tier
  [999, "1s", 1_000],
  [1_000, "1s", 1_000],
  [1_100, "1s", 1_100], // the rest is waited in memory
  [1_950, "2s", 2_000], // 2.6 % longer: one hop
  [1_900, "1s", 1_900], // 5.3 % longer: no
  [2_999, "2s", 2_999],
  [62_000, "64s", 64_000], // 3.2 % longer
  [78_000, "64s", 80_050], // 64 + 14: the 16s tier lengthens by 2.6 %, and one hop by 50 ms
  [300_000, "300s", 300_000],
  [305_000, "300s", 308_050], // 300 + 5: the 8s tier
  [HOUR, "1h", HOUR],
  [2 * HOUR, "1h", 2 * HOUR + 50],
  [12 * HOUR, "1h", 12 * HOUR + 11 * 50],
])("a wait of %d ms begins in %s and lasts %d ms", (asked, first, whole) => {
  const plan = planWait(tiers, asked);

  expect(plan.tier?.name ?? null).toBe(first);
  expect(plan.waitMs).toBe(whole);
});

test("no wait is shortened, and none of a second or more is lengthened by 5 %", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 30 * HOUR }), (asked) => {
      const plan = planWait(tiers, asked);

      expect(plan.waitMs).toBeGreaterThanOrEqual(asked);
      expect(plan.waitMs).toBeLessThan(asked * 1.05);
      expect(plan.tier?.delayMs).toBeLessThanOrEqual(plan.waitMs);
    }),
  );
});

/** The tiers a planned wait goes through where every hop costs `hopMs`, and how late it ends. */
function travel(asked: number, hopMs: number) {
  const plan = planWait(tiers, asked);
  const hops: string[] = [];
  let elapsed = 0;
  for (let tier = plan.tier; tier !== null;) {
    hops.push(tier.name);
    elapsed += tier.delayMs + hopMs;
    tier = nextHop(tiers, plan.waitMs - elapsed);
  }
  return { hops, lateMs: elapsed - plan.waitMs, hopMs };
}

test("the hops end the wait: less than a second is left, and it is late by at most the last hop", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 26 * HOUR }),
      fc.integer({ min: 0, max: 40 }),
      (asked, hopMs) => {
        const { lateMs } = travel(asked, hopMs);

        expect(lateMs).toBeLessThanOrEqual(hopMs);
        expect(lateMs).toBeGreaterThanOrEqual(-1_000);
      },
    ),
  );
});

test.each([
  [78_000, ["64s", "16s"]],
  [305_000, ["300s", "8s"]],
  [2 * HOUR, ["1h", "1h"]],
])("a wait of %d ms travels through few tiers", (asked, hops) => {
  expect(travel(asked, 15).hops).toEqual(hops);
});

test("what is left below a second is waited in memory, whatever the tiers", () => {
  expect(nextHop(parseTiers("100ms,1s"), 999)).toBeNull();
  expect(nextHop(tiers, 1_000)).toBeNull();
  expect(nextHop(tiers, 1_001)?.name).toBe("1s");
  expect(nextHop(tiers, -1)).toBeNull();
  expect(nextHop(tiers, NaN)).toBeNull();
});

test("a rest that no tier is short enough for goes through the shortest, not through memory", () => {
  expect(nextHop(parseTiers("10s,60s"), 3_000)?.name).toBe("10s");
  expect(planWait(parseTiers("10s,60s"), 13_000)).toMatchObject({
    tier: { name: "10s" },
    waitMs: 20_050,
  });
});
