import { afterEach, expect, test } from "@jest/globals";
import { testEffects, waitFor } from "@postrider/testkit";
import { TopicMissingError } from "../ports.ts";
import { PartitionCounts } from "./partition-counts.ts";

const open: PartitionCounts[] = [];
afterEach(async () => {
  for (const counts of open.splice(0)) await counts.close();
});

/** A fake admin client; the test sets its counts. */
function countsOf(cluster: Map<string, number>, everyMs: number) {
  const { log } = testEffects();
  const asked: string[][] = [];
  let fault: Error | null = null;
  const counts = new PartitionCounts({
    log,
    everyMs,
    admin: () => ({
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      partitionCounts: (topics) => {
        asked.push([...topics]);
        if (fault !== null) return Promise.reject(fault);
        return Promise.resolve(
          new Map([...cluster].filter(([topic]) => topics.includes(topic))),
        );
      },
    }),
  });
  open.push(counts);
  const fail = (error: Error | null) => void (fault = error);
  return { counts, asked, log, fail };
}

const soon = (condition: () => boolean) => waitFor(condition, { everyMs: 1 });
const NEVER = 60_000;

test("a topic is asked for once, and one that is missing is named", async () => {
  const { counts, asked } = countsOf(new Map([["a", 3]]), NEVER);

  await counts.learn(new Set(["a"]));
  await counts.learn(new Set(["a"]));
  const both = counts.learn(new Set(["a", "b"]));

  await expect(both).rejects.toThrow(TopicMissingError);
  await expect(both).rejects.toThrow(
    "topic b does not exist, or this user may not describe it",
  );
  expect(asked).toEqual([["a"], ["b"]]);
  expect(counts.count("a")).toBe(3);
});

test("added partitions are found in the background; every known topic is counted again", async () => {
  const cluster = new Map([
    ["a", 3],
    ["b", 2],
  ]);
  const { counts, asked, log } = countsOf(cluster, 5);
  await counts.learn(new Set(["a"]));
  await counts.learn(new Set(["b"]));

  cluster.set("b", 4);

  await soon(() => counts.count("b") === 4);
  expect(counts.count("a")).toBe(3);
  expect(asked.at(-1)).toEqual(["a", "b"]);
  expect(log.of("output.partitionsAdded")).toMatchObject([
    { fields: { topic: "b", before: 2, count: 4 } },
  ]);
});

test("a count that fails is logged as a warning, and the old counts hold until the next", async () => {
  const cluster = new Map([["a", 3]]);
  const { counts, asked, log, fail } = countsOf(cluster, 1);
  await counts.learn(new Set(["a"]));

  fail(new Error("away"));
  await soon(() => log.of("output.notCountedAgain").length > 1);
  expect(counts.count("a")).toBe(3);
  await counts.learn(new Set(["a"]));

  cluster.set("a", 6);
  fail(null);
  await soon(() => counts.count("a") === 6);
  expect(asked.every((topics) => topics.join() === "a")).toBe(true);
});

test("a lower count, or none, is ignored until the topic is forgotten", async () => {
  const cluster = new Map([
    ["a", 3],
    ["b", 3],
  ]);
  const { counts, asked } = countsOf(cluster, 1);
  await counts.learn(new Set(["a", "b"]));

  cluster.set("a", 1);
  cluster.delete("b");
  const before = asked.length;
  await soon(() => asked.length > before + 2);
  expect([counts.count("a"), counts.count("b")]).toEqual([3, 3]);

  counts.forget(["a"]);
  await counts.learn(new Set(["a"]));
  expect(counts.count("a")).toBe(1);
});

test("no timer is left once it is closed, though a count is under way", async () => {
  const timers = () =>
    process.getActiveResourcesInfo().filter((what) => what === "Timeout");
  const before = timers().length;
  const { counts, asked } = countsOf(new Map([["a", 3]]), 0);
  await counts.learn(new Set(["a"]));
  while (asked.length < 3) await new Promise(setImmediate);

  await counts.close();

  // A timer of the test runner may have ended meanwhile.
  expect(timers().length).toBeLessThanOrEqual(before);
});
