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
