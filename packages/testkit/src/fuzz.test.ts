import { expect, test } from "@jest/globals";
import { fuzz, yardstick } from "./fuzz.ts";
import type { Random } from "./seeded-random.ts";

const number = (random: Random): number => random.between(0, 1_000_000);

test("every run feeds the same input, and as much as it is told to", async () => {
  const runs = [[], []] as [number[], number[]];

  for (const fed of runs)
    await fuzz({
      name: "numbers",
      inputs: 20,
      make: number,
      feed: (input) => fed.push(input),
    });

  expect(runs[0]).toHaveLength(20);
  expect(runs[1]).toEqual(runs[0]);
  expect(new Set(runs[0]).size).toBeGreaterThan(10);
});

test("what throws is named, with the input and what repeats it", async () => {
  let count = 0;
  const run = fuzz({
    name: "numbers",
    make: () => 5,
    feed: () => {
      count += 1;
      if (count === 3) throw new Error("wrong");
    },
  });

  await expect(run).rejects.toThrow(
    "numbers: wrong; the last of POSTRIDER_FUZZ_SEED=1 POSTRIDER_FUZZ_INPUTS=3: 5",
  );
});

test("what takes too much CPU every time is found", async () => {
  const run = fuzz({
    name: "slow",
    mostYardsticks: 4,
    make: number,
    feed: () => spend(12),
  });

  await expect(run).rejects.toThrow(
    /^slow: CPU of \d+ yardsticks; the last of/,
  );
});

test("what takes much CPU once, as a garbage collection does, is no failure", async () => {
  let count = 0;
  const fed = await fuzz({
    name: "busy",
    mostYardsticks: 20,
    inputs: 3,
    make: number,
    feed: () => (count++ === 0 ? spend(60) : undefined),
  });

  expect(fed).toBe(3);
  expect(count).toBe(4);
});

test("what fills the memory every time is found", async () => {
  const kept: Buffer[] = [];
  const run = fuzz({
    name: "large",
    mostBytes: 8 << 20,
    make: number,
    feed: () => kept.push(Buffer.alloc(32 << 20)),
  });

  await expect(run).rejects.toThrow(/^large: \d+ MiB; the last of/);
});

function spend(yardsticks: number): void {
  for (let left = yardsticks; left > 0; left--) yardstick();
}
