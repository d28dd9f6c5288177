import { expect, test } from "@jest/globals";
import { testEffects, waitFor } from "@postrider/testkit";
import { createWrittenTopics } from "./written-topics.ts";

function someTopics(existing: readonly string[]) {
  const { log } = testEffects();
  const there = new Map(existing.map((topic) => [topic, 4]));
  const state = { isAway: false };
  const written = createWrittenTopics({
    topics: ["p.endpoints", "p.audit"],
    async partitionCounts(topics) {
      if (state.isAway) throw new Error("no broker");
      return new Map(
        topics.flatMap((topic) => {
          const count = there.get(topic);
          return count === undefined ? [] : [[topic, count] as const];
        }),
      );
    },
    log,
    againMs: 1,
  });
  return { written, there, state, log };
}

test("where every topic is there, the replica is ready and knows their partitions", async () => {
  const { written } = someTopics(["p.endpoints", "p.audit"]);

  await written.count();

  expect(written.check()).toMatchObject({ isOk: true });
  expect(written.partitionsOf("p.audit")).toBe(4);
});

test("a missing topic makes the replica unready: by its name, and with what to do; it is logged once", async () => {
  const { written, log } = someTopics(["p.endpoints"]);

  await expect(written.count()).rejects.toThrow("p.audit does not exist");
  await expect(written.count()).rejects.toThrow("postrider topics apply");

  expect(written.check()).toMatchObject({
    isOk: false,
    detail: expect.stringContaining("topic p.audit does not exist"),
  });
  expect(
    log.lines.filter(({ event }) => event === "topics.missing"),
  ).toHaveLength(1);
});

test("a topic that is made meanwhile is found without a restart", async () => {
  const { written, there } = someTopics(["p.endpoints"]);
  await written.start();
  await waitFor(() => written.check().detail.includes("p.audit"));

  there.set("p.audit", 2);

  await waitFor(() => written.check().isOk);
  expect(written.partitionsOf("p.audit")).toBe(2);
  await written.stop(0);
});

test("while Kafka is away, what was known stays", async () => {
  const { written, state } = someTopics(["p.endpoints", "p.audit"]);
  await written.count();
  state.isAway = true;

  await expect(written.count()).rejects.toThrow("no broker");

  expect(written.check().isOk).toBe(true);
  expect(written.partitionsOf("p.endpoints")).toBe(4);
});
