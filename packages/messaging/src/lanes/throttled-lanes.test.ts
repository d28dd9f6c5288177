import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { ThrottledLanes, type Throttle } from "./throttled-lanes.ts";

test("lanes are free in the order of their times, each at its time and no earlier", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.nat(20), (times, now) => {
      const throttled = new ThrottledLanes<{ throttle: Throttle | null }>();
      for (const until of times)
        throttled.add(
          { throttle: null },
          { until, nextStartAt: until, perSecond: 1 },
        );
      const expected = times.toSorted((a, b) => a - b);

      for (const until of expected.filter((time) => time <= now)) {
        expect(throttled.firstUntil).toBe(until);
        expect(throttled.takeFree(now)?.throttle).toBeNull();
      }

      expect(throttled.takeFree(now)).toBeNull();
      expect(throttled.firstUntil).toBe(
        expected.find((time) => time > now) ?? Infinity,
      );
    }),
  );
});
