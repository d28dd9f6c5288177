import { expect, test } from "@jest/globals";
import { anEndpoint } from "@postrider/testkit";
import { mixedLoad } from "./mixed-load.ts";

const endpoints = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => anEndpoint({ id: `${prefix}${i}` }));

test("each second the others get their number, each of them as many as the next, and the wells the rest", () => {
  const load = mixedLoad({
    name: "mixed",
    perSecond: 70,
    seconds: 6,
    othersPerSecond: 50,
    others: endpoints("other", 3),
    wells: endpoints("well", 4),
  });
  const all = Array.from({ length: 420 }, (_, i) => i);
  const counts = Map.groupBy(all, (i) => load.endpointOf(i).id);

  expect(all.slice(0, 70).filter(load.isOthers)).toHaveLength(50);
  expect(all.slice(350).filter(load.isOthers)).toHaveLength(50);
  for (const i of all)
    expect(load.endpointOf(i).id.startsWith("other")).toBe(load.isOthers(i));
  expect(
    Object.fromEntries([...counts].map(([id, of]) => [id, of.length])),
  ).toEqual({
    other0: 100,
    other1: 100,
    other2: 100,
    well0: 30,
    well1: 30,
    well2: 30,
    well3: 30,
  });
});
