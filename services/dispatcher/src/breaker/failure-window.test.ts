import { expect, test } from "@jest/globals";
import { seededRandom } from "@postrider/testkit";
import { FailureWindow } from "./failure-window.ts";

/** Adds `failed` failures and `well` successes, evenly mixed, over `ms`; reports the first reason to open. */
function mixed(
  window: FailureWindow,
  given: { failed: number; well: number; from: number; ms: number },
): string | null {
  const { failed, well, from, ms } = given;
  const all = failed + well;
  for (let nth = 0; nth < all; nth += 1) {
    const now = from + (ms * nth) / all;
    const hasFailed =
      Math.floor(((nth + 1) * failed) / all) > Math.floor((nth * failed) / all);
    window.add(hasFailed, now);
    const why = window.reasonToOpen(true, now);
    if (why !== null) return why;
  }
  return null;
}

test("70 % of at least 20 attempts within a minute are enough, though successes come between", () => {
  const at = { from: 0, ms: 40_000 };

  expect(mixed(new FailureWindow(), { ...at, failed: 14, well: 6 })).toBe(
    "14 of 20 attempts within a minute failed",
  );
  expect(mixed(new FailureWindow(), { ...at, failed: 13, well: 7 })).toBeNull();
  expect(mixed(new FailureWindow(), { ...at, failed: 14, well: 5 })).toBeNull();
});

test("the share is judged after ten seconds at the earliest, because retries that succeed come later than first attempts", () => {
  const window = new FailureWindow();

  expect(
    mixed(window, { failed: 80, well: 20, from: 0, ms: 9_000 }),
  ).toBeNull();
  expect(
    mixed(window, { failed: 8, well: 2, from: 9_500, ms: 1_000 }),
  ).not.toBeNull();
});

test("attempts of more than a minute ago do not count", () => {
  const window = new FailureWindow();

  mixed(window, { failed: 60, well: 60, from: 0, ms: 9_000 });
  const why = mixed(window, { failed: 14, well: 6, from: 70_000, ms: 40_000 });

  expect(why).toBe("14 of 20 attempts within a minute failed");
});

test.each([
  [0, 10],
  [0.2, 10],
  [0.5, 20],
  [0.7, 39],
])(
  "where %d of the attempts fail anyway, %i failures in a row open the breaker",
  (share, run) => {
    const window = new FailureWindow();
    mixed(window, {
      failed: 1_000 * share,
      well: 1_000 * (1 - share),
      from: 0,
      ms: 9_000,
    });
    window.add(false, 9_000);
    let count = 0;

    do {
      window.add(true, 9_001);
      count += 1;
    } while (window.reasonToOpen(true, 9_001) === null);

    expect(count).toBe(run);
  },
);

test("an endpoint that fails half of a thousand attempts a second, at random, stays closed for minutes", () => {
  const random = seededRandom(7, "half");
  const window = new FailureWindow();
  let opened = 0;

  for (let ms = 0; ms < 120_000; ms += 1) {
    window.add(random.next() < 0.5, ms);
    if (window.reasonToOpen(true, ms) !== null) opened += 1;
  }

  expect(opened).toBe(0);
});
