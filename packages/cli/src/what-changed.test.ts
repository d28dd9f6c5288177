import { expect, test } from "@jest/globals";
import { whatChanged } from "./what-changed.ts";

test.each<[string, unknown, string]>([
  [
    "from one value to another",
    { timeoutMs: { from: 15_000, to: 5_000 }, version: { from: 1, to: 2 } },
    "timeoutMs 15000 → 5000",
  ],
  ["from nothing", { stateReason: { to: "moving" } }, "stateReason → moving"],
  ["to nothing", { rateLimit: { from: { a: 1 } } }, 'rateLimit {"a":1} →'],
  [
    "a plain value",
    { sent: 3, state: { from: "a", to: "b" } },
    "sent 3, state a → b",
  ],
  ["another shape", { x: { y: 1 } }, 'x {"y":1}'],
  ["no object", "{", "{"],
  ["nothing", {}, ""],
])("%s is told in a few words", (_what, detail, text) => {
  expect(whatChanged(detail)).toBe(text);
});

test("what is long is cut", () => {
  const text = whatChanged({ description: { to: "x".repeat(500) } });

  expect(text).toHaveLength(160);
  expect(text.endsWith("…")).toBe(true);
});
