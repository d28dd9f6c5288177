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
  [20_000, "16s", 20_050], // 16 + 4, and a hop's slack
  [30_900, "16s", 30_900], // the 32s tier is over a second longer
  [31_100, "32s", 32_000],
  [62_000, "32s", 62_200], // 32 + 16 + 8 + 4 + 2: the 64s tier is two seconds longer
  [79_200, "64s", 80_050], // 64 + 15.2: the 16s tier
  [100_300, "64s", 100_300], // 64 + 32 + 4
  [300_000, "300s", 300_000],
  [305_000, "300s", 305_000], // 300 + 4, and a second in memory
  [307_200, "300s", 308_050], // 300 + 7.2: the 8s tier
  [900_000, "300s", 900_100],
  [HOUR, "1h", HOUR],
  [2 * HOUR, "1h", 2 * HOUR + 50],
  [12 * HOUR, "1h", 12 * HOUR + 11 * 50],
  [24 * HOUR, "1h", 24 * HOUR], // 23 hops' slack would be over a second
  [24.75 * HOUR, "1h", 24.75 * HOUR],
  [72 * HOUR, "1h", 72 * HOUR],
])("a wait of %d ms begins in %s and lasts %d ms", (asked, first, whole) => {
  const plan = planWait(tiers, asked);

  expect(plan.tier?.name ?? null).toBe(first);
  expect(plan.waitMs).toBe(whole);
});

/** Any wait up to three days, short ones as often as long ones. */
const anyWait = fc
  .double({ min: 0, max: Math.log(72 * HOUR), noNaN: true })
  .map((exponent) => Math.round(Math.exp(exponent)));

test("no wait is shortened, and none is lengthened by more than a second, nor one of a second or more by over 5 %", () => {
  fc.assert(
    fc.property(anyWait, (asked) => {
      const plan = planWait(tiers, asked);

      expect(plan.waitMs).toBeGreaterThanOrEqual(asked);
      expect(plan.waitMs).toBeLessThanOrEqual(asked + 1_000);
      if (asked >= 1_000)
        expect(plan.waitMs).toBeLessThanOrEqual(Math.ceil(asked * 1.05));
    }),
  );
});

test("no wait is lengthened past the time at which the delivery expires", () => {
  fc.assert(
    fc.property(
      anyWait,
      fc.nat(2_000),
      fc.constantFrom(DEFAULT_TIERS, "10s,60s", "1s,1h"),
      (asked, spareMs, names) => {
        const mostMs = asked + spareMs;
        const plan = planWait(parseTiers(names), asked, mostMs);

        expect(plan.waitMs).toBeGreaterThanOrEqual(asked);
        expect(plan.waitMs).toBeLessThanOrEqual(mostMs);
      },
    ),
  );
});

/** The tiers a planned wait goes through where every hop costs `hopMs`, and how late it ends. */
function travel(asked: number, hopMs: number, through = tiers) {
  const plan = planWait(through, asked);
  const hops: string[] = [];
  let elapsed = 0;
  for (let tier = plan.tier; tier !== null;) {
    hops.push(tier.name);
    elapsed += tier.delayMs + hopMs;
    tier = nextHop(through, plan.waitMs - elapsed);
  }
  return { hops, lateMs: elapsed - plan.waitMs, hopMs };
}

test("the hops end the wait: less than a second is left, and it is late by at most the last hop", () => {
  fc.assert(
    fc.property(anyWait, fc.integer({ min: 0, max: 40 }), (asked, hopMs) => {
      const { lateMs } = travel(asked, hopMs);

      expect(lateMs).toBeLessThanOrEqual(hopMs);
      expect(lateMs).toBeGreaterThanOrEqual(-1_000);
    }),
  );
});

/** Up to 20 hours, so that the slack for hops of an hour is a second at most. A longer wait has none where it would need more, and then ends up to the shortest tier late. */
const waitOfFewLongHops = anyWait.map((asked) => Math.min(asked, 20 * HOUR));

test("whatever the tiers, a wait is late by no more than its hops cost", () => {
  fc.assert(
    fc.property(
      waitOfFewLongHops,
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom("10s", "10s,60s", "5s,60s,1h", "7s,1h"),
      (asked, hopMs, names) => {
        const { lateMs, hops } = travel(asked, hopMs, parseTiers(names));

        expect(lateMs).toBeLessThanOrEqual(hops.length * hopMs);
      },
    ),
    {
      examples: [
        // More than 20 hops: without a bound their slack would be over the second that may be waited in memory.
        [261_177, 10, "10s"],
        [57_886_064, 10, "5s,60s,1h"],
        // Lengthened for the tier of 7 s, the wait fills one more hour.
        [79_199_126, 0, "7s,1h"],
      ],
    },
  );
});

test("besides its whole hours a wait has at most 20 hops: eleven of five minutes, and each smaller tier once", () => {
  fc.assert(
    fc.property(anyWait, fc.integer({ min: 0, max: 40 }), (asked, hopMs) => {
      const { hops } = travel(asked, hopMs);

      expect(hops.length).toBeLessThanOrEqual(Math.floor(asked / HOUR) + 20);
    }),
  );
});

test.each([
  [79_200, ["64s", "16s"]],
  [307_200, ["300s", "8s"]],
  [900_000, ["300s", "300s", "300s"]],
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

test("a rest over a second that is shorter than every tier goes through the shortest tier, not through memory", () => {
  expect(nextHop(parseTiers("10s,60s"), 3_000)?.name).toBe("10s");
  expect(planWait(parseTiers("10s,60s"), 13_000)).toMatchObject({
    tier: { name: "10s" },
    waitMs: 20_050,
  });
});

test("a wait shorter than every tier lasts as long as the shortest, unless that would be too long", () => {
  expect(planWait(tiers, 300, 1_000)).toMatchObject({ waitMs: 1_000 });
  expect(planWait(tiers, 300, 999)).toMatchObject({
    tier: { name: "1s" },
    waitMs: 300,
  });
});
