import { expect, test } from "@jest/globals";
import { WarmUpPace } from "./warm-up-pace.ts";

const BUDGET = 8 << 20;

/** How many bytes a warm-up over records of these sizes reads, if it follows each jump. */
function read(sizes: readonly number[]): { bytes: number; last: number[] } {
  const pace = new WarmUpPace(0, sizes.length);
  const last: number[] = [];
  let bytes = 0;
  for (let at = 0; at < sizes.length;) {
    bytes += sizes[at]!;
    last.push(at);
    const target = pace.noteRemembered(at, sizes[at]!, BUDGET);
    if (target !== null) pace.jumped(target);
    at = target ?? at + 1;
  }
  return { bytes, last: last.slice(-3) };
}

const many = (count: number, bytes: number): number[] =>
  Array.from({ length: count }, () => bytes);

test.each([
  ["small and few: all are read", many(1_000, 100), 100_000],
  ["exactly as many as may be", many(8_192, 1_024), BUDGET],
  ["too many", many(400_000, 1_024), BUDGET],
  ["too large", many(1_000, 900_000), BUDGET],
  [
    "large ones behind small ones",
    [...many(100_000, 50), ...many(1_000, 100_000)],
    BUDGET,
  ],
])("%s, and the nearest are", (_name, sizes, expected) => {
  const { bytes, last } = read(sizes);

  expect(bytes).toBeGreaterThanOrEqual(expected * 0.8);
  expect(bytes).toBeLessThanOrEqual(expected * 2);
  expect(last.at(-1)).toBe(sizes.length - 1);
});

test("with a budget of 0 bytes only the first record is read", () => {
  expect(new WarmUpPace(0, 1_000).noteRemembered(0, 10, 0)).toBe(1_000);
});
