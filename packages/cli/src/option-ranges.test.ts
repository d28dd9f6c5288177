import { expect, test } from "@jest/globals";
import {
  maxAge,
  maxAttempts,
  neverRetried,
  overlap,
  rate,
  retryWaits,
} from "./option-ranges.ts";

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

test.each([
  ["1s,5s, 1m", [1_000, 5_000, 60_000]],
  ["24h", [86_400_000]],
  ["standard-webhooks", "standard-webhooks"],
  ["default", "default"],
])("the waits %s are %j", (text, waits) => {
  expect(retryWaits(text)).toEqual(waits);
});

test.each(["", "5", "999ms", "1s,25h", "weekly", Array(51).fill("1s").join()])(
  "%j are no waits, and the message says what is",
  (text) => {
    expect(() => retryWaits(text)).toThrow(
      "It must be standard-webhooks, default, or 1 to 50 waits of 1s to 24h, such as 5s,5m,1h.",
    );
  },
);

test("attempts, age and statuses are read, and may be set back", () => {
  expect(maxAttempts("7")).toBe(7);
  expect(maxAttempts("default")).toBe("default");
  expect(maxAge("72h")).toBe(259_200_000);
  expect(maxAge("default")).toBe("default");
  expect(neverRetried("400, 422")).toEqual([400, 422]);
  expect(neverRetried("none")).toEqual([]);
});

test.each([
  [() => maxAttempts("0"), "from 1 to 100"],
  [() => maxAttempts("101"), "from 1 to 100"],
  [() => maxAge("999ms"), "It must be 1s to 30d, or default."],
  [() => maxAge("31d"), "It must be 1s to 30d, or default."],
  [() => neverRetried("200"), "from 300 to 599"],
  [() => neverRetried("4xx"), "from 300 to 599"],
])("a value out of range is refused with the range (%#)", (parse, message) => {
  expect(parse).toThrow(message);
});
