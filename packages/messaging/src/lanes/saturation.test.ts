import { expect, test } from "@jest/globals";
import { Saturation } from "./saturation.ts";

/** A process whose event loop was busy for these shares of each successive 50 ms. */
function after(busy: readonly number[]) {
  let active = 0;
  let now = 0;
  const saturation = new Saturation(() => ({ active, idle: now - active }));
  saturation.sample(now);
  for (const share of busy) {
    now += 50;
    active += 50 * share;
    saturation.sample(now);
  }
  return { saturation, now };
}

const times = (n: number, share: number) => Array<number>(n).fill(share);

test.each([
  ["nothing is known yet", [], false],
  ["idle", times(40, 0), false],
  ["busy for a second", times(40, 1), true],
  ["busy for less than half of the time", times(40, 0.45), false],
  ["busy for half of the time", times(40, 0.5), true],
  [
    "busy for a fifth of a second after long idleness",
    [...times(40, 0), ...times(4, 1)],
    true,
  ],
  [
    "busy for a twentieth of a second after long idleness",
    [...times(40, 0), ...times(1, 1)],
    false,
  ],
  ["a short pause in a busy second", [...times(40, 1), ...times(2, 0)], true],
  ["busy until a second ago", [...times(40, 1), ...times(20, 0)], false],
])("%s", (_name, busy, isSaturated) => {
  const { saturation, now } = after(busy);

  expect(saturation.isSaturated(now)).toBe(isSaturated);
});

test("a process that has reached a limit of its own counts as saturated for a second", () => {
  const { saturation, now } = after(times(40, 0));

  saturation.limited(now);

  expect(saturation.isSaturated(now + 1000)).toBe(true);
  expect(saturation.isSaturated(now + 1001)).toBe(false);
});
