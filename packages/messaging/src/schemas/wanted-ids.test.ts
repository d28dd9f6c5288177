import { expect, test } from "@jest/globals";
import { WantedIds } from "./wanted-ids.ts";

function taken(wanted: WantedIds, count: number): number[] {
  return Array.from({ length: count }, () => {
    const id = wanted.next()!;
    wanted.delete(id);
    return id;
  });
}

test("an id near those that are known goes before any amount of garbage that came earlier", () => {
  const wanted = new WantedIds();
  wanted.known(200_000);
  for (let n = 0; n < 20_000; n++) wanted.add(1_000_000_000 + n);

  wanted.add(200_001);

  expect(taken(wanted, 2)).toContain(200_001);
});

test("ids of any size get a share while there are likely ones, and each kind goes in its order", () => {
  const wanted = new WantedIds();
  for (let n = 1; n <= 9; n++) wanted.add(n);
  wanted.add(2_000_000_000);
  wanted.add(1_000_000_000);

  const order = taken(wanted, 11);

  expect(order.filter((id) => id < 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(order.indexOf(2_000_000_000)).toBeLessThan(4);
  expect(order.indexOf(1_000_000_000)).toBeLessThan(8);
});

test("there is a bound for each kind, and a known id is wanted no more", () => {
  const wanted = new WantedIds();
  for (let n = 0; n < 10_001; n++) wanted.add(1_000_000_000 + n);
  expect(wanted.size).toBe(10_000);

  wanted.add(7);
  expect(wanted.size).toBe(10_001);
  wanted.known(7);

  expect(wanted.size).toBe(10_000);
});
