import { expect, test } from "@jest/globals";
import { UnderWay } from "./under-way.ts";

test("the most requests at once are counted for each path, and the time of all of them", () => {
  const underWay = new UnderWay();

  underWay.began("/a");
  underWay.began("/a");
  underWay.began("/b");
  underWay.ended("/a", 50);
  underWay.began("/a");
  underWay.ended("/b", 20);
  underWay.began("/b");

  expect([...underWay.most]).toEqual([
    ["/a", 2],
    ["/b", 1],
  ]);
  expect(underWay.totalMs).toBe(70);
});

test("what is under way at a reset still counts", () => {
  const underWay = new UnderWay();

  underWay.began("/a");
  underWay.reset();
  underWay.began("/a");

  expect([...underWay.most]).toEqual([["/a", 2]]);
});
