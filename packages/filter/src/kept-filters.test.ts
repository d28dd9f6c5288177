import { expect, test } from "@jest/globals";
import { KeptFilters } from "./kept-filters.ts";

test("a filter is compiled once, and so is one that is wrong", () => {
  const kept = new KeptFilters();

  for (const text of ["payload.a == 1", "payload.a =="])
    expect(kept.of(text)).toBe(kept.of(text));
});

test("never more characters are kept than the limit", () => {
  const kept = new KeptFilters(100);

  for (let n = 0; n < 50; n++) {
    const compiled = kept.of(`payload.n == ${n}`);

    expect(compiled.ok).toBe(true);
    expect(kept.characters).toBeLessThanOrEqual(100);
  }
});

test("of more filters than are kept, the oldest are forgotten, and what came lately stays", () => {
  const texts = Array.from({ length: 12 }, (_, n) => `payload.a == ${10 + n}`);
  const kept = new KeptFilters(10 * texts[0]!.length);
  const first = texts.map((text) => kept.of(text));

  const still = texts.slice(2).map((text) => kept.of(text));

  for (const [n, one] of still.entries()) expect(one).toBe(first[n + 2]);
  expect(kept.of(texts[0]!)).not.toBe(first[0]);
});
