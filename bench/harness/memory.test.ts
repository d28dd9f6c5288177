import { expect, test } from "@jest/globals";
import { growthOf, rssKbOf, watchMemory } from "./memory.ts";

/** Four samples a second. */
function samplesOf(seconds: number, rssKb: (at: number) => number) {
  return Array.from({ length: seconds * 4 }, (_, i) => ({
    atSeconds: 100 + i / 4,
    rssKb: rssKb(i / 4),
  }));
}
/** A saw of 20 MB with a tooth each three seconds. */
const saw = (at: number): number => 200_000 + (at % 3) * 7_000;

test("a saw does not grow", () => {
  expect(Math.abs(growthOf(samplesOf(300, saw)))).toBeLessThan(20);
});

test("a leak below a saw is seen", () => {
  const growth = growthOf(samplesOf(300, (at) => saw(at) + at * 500));

  expect(growth).toBeGreaterThan(480);
  expect(growth).toBeLessThan(520);
});

test("growth that ends in the first half does not count", () => {
  const samples = samplesOf(300, (at) => 200_000 + Math.min(at, 149) * 1_000);

  expect(growthOf(samples)).toBe(0);
});

test("too few samples show nothing", () => {
  expect(() => growthOf(samplesOf(10, saw))).toThrow(RangeError);
});

test("the resident set is read from a status of /proc", () => {
  expect(rssKbOf("Name:\tnode\nVmRSS:\t  58904 kB\nRssAnon:\t 1 kB\n")).toBe(
    58_904,
  );
  expect(() => rssKbOf("Name:\tnode\n")).toThrow(/not a \/proc status/);
});

test("a living process has memory", () => {
  const [first] = watchMemory(process.pid).stop();

  expect(first?.rssKb).toBeGreaterThan(1_000);
});
