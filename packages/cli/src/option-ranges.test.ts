import { expect, test } from "@jest/globals";
import { overlap, rate } from "./option-ranges.ts";

test.each([
  ["50/s", 50],
  ["600/m", 10],
  ["3.6/h", 0.001],
  ["0.06/m", 0.001],
  ["0.001/s", 0.001],
  ["100000/s", 100_000],
])("the rate %s is %d a second", (text, perSecond) => {
  expect(rate(text)).toBe(perSecond);
});

test.each(["0/s", "0/h", "1/h", "3.5/h", "200000/s", "360000001/h"])(
  "the rate %s is refused with the range, and how to send nothing",
  (text) => {
    expect(() => rate(text)).toThrow(
      "It must be at least 3.6/h and at most 100000/s. To send nothing: endpoints pause.",
    );
  },
);

test.each(["50", "-1/s", "50/d", ""])("%j is no rate", (text) => {
  expect(() => rate(text)).toThrow("It must be like 50/s, 600/m or 100/h.");
});

test.each([
  ["0", 0],
  ["0s", 0],
  ["24h", 86_400_000],
  ["30d", 2_592_000_000],
])("the overlap %s is %d ms", (text, overlapMs) => {
  expect(overlap(text)).toBe(overlapMs);
});

test.each(["40d", "721h"])("the overlap %s is too long", (text) => {
  expect(() => overlap(text)).toThrow("It must be 0 to 30d.");
});
