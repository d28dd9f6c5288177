import { expect, test } from "@jest/globals";
import { createAskedAdmin } from "@postrider/messaging";
import { testEffects, waitFor } from "@postrider/testkit";
import { createWrittenTopics } from "./written-topics.ts";

function someTopics() {
  const { log } = testEffects();
  const there = new Map([
    ["p.endpoints", 4],
    ["p.audit", 4],
  ]);
  const state = { isAway: false };
  const written = createWrittenTopics({
    topics: ["p.endpoints", "p.audit"],
    admin: createAskedAdmin(
      () => ({
        connect: async () => {},
        disconnect: async () => {},
        async partitionCounts() {
          if (state.isAway) throw new Error("no broker");
          return new Map(there);
        },
      }),
      { idleMs: 1 },
    ),
    log,
    againMs: 1,
  });
  const isOk = (): boolean => written.health().ready.every((one) => one.isOk);
  return { written, there, state, isOk };
}

test("what is looked at while a tenure lasts does not move its keys to other partitions", async () => {
  const { written, there, isOk } = someTopics();
  await written.count();

  there.set("p.endpoints", 8);
  await written.start();
  await waitFor(isOk);
  await new Promise(setImmediate);

  expect(written.partitionsOf("p.endpoints")).toBe(4);
  await written.count();
  expect(written.partitionsOf("p.endpoints")).toBe(8);
  await written.stop(0);
});

test("while Kafka is away, what was known stays; without a topic there is no count, and it says what is not written", async () => {
  const { written, there, state, isOk } = someTopics();
  await written.count();
  state.isAway = true;

  await expect(written.count()).rejects.toThrow("no broker");

  expect(isOk()).toBe(true);
  expect(written.partitionsOf("p.endpoints")).toBe(4);
  state.isAway = false;
  there.delete("p.audit");
  await expect(written.count()).rejects.toThrow(
    "topic p.audit does not exist, or this user may not describe it, and no change is written without it",
  );
  await written.stop(0);
});
