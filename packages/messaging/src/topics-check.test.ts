import { afterEach, expect, test } from "@jest/globals";
import { testEffects, waitFor } from "@postrider/testkit";
import { createAskedAdmin } from "./asked-admin.ts";
import { createTopicsCheck, type TopicsCheck } from "./topics-check.ts";

const started: TopicsCheck[] = [];

afterEach(async () => {
  for (const check of started.splice(0)) await check.stop(0);
});

function someTopics(existing: readonly string[]) {
  const { log } = testEffects();
  const there = new Map(existing.map((topic) => [topic, 4]));
  const check = createTopicsCheck({
    topics: ["p.deliveries", "p.attempts"],
    admin: createAskedAdmin(
      () => ({
        connect: async () => {},
        disconnect: async () => {},
        partitionCounts: async () => new Map(there),
      }),
      { idleMs: 1 },
    ),
    withoutThem: "work stands still",
    log,
    againMs: 1,
  });
  started.push(check);
  const ready = () => check.health().ready[0]!;
  return { check, there, log, ready };
}

test("where every topic is there, the check is passed, and knows their partitions", async () => {
  const { check, ready } = someTopics(["p.deliveries", "p.attempts"]);
  expect(ready()).toMatchObject({ isOk: false, detail: "not looked at yet" });

  expect((await check.look()).get("p.attempts")).toBe(4);
  expect(ready()).toMatchObject({ name: "topics", isOk: true });
});

test("a missing topic is told by its name, with what makes it, and logged once; every one of several is told", async () => {
  const { check, log, ready, there } = someTopics(["p.deliveries"]);

  await expect(check.look()).rejects.toThrow("p.attempts does not exist");
  await expect(check.look()).rejects.toThrow("postrider topics apply");

  expect(ready()).toEqual({
    name: "topics",
    isOk: false,
    detail:
      "topic p.attempts does not exist, or this user may not describe it, and work stands still without it. Run `postrider topics apply`; no restart is needed.",
  });
  expect(log.of("topics.missing")).toHaveLength(1);
  there.clear();
  await expect(check.look()).rejects.toThrow(
    "topics p.deliveries and p.attempts do not exist",
  );
});

test("a topic that is made meanwhile is found without a restart", async () => {
  const { check, there, ready, log } = someTopics(["p.deliveries"]);
  await check.start();
  await waitFor(() => ready().detail.includes("p.attempts"));

  there.set("p.attempts", 2);

  await waitFor(() => ready().isOk);
  expect(log.of("topics.found")).toHaveLength(1);
  expect((await check.look()).get("p.attempts")).toBe(2);
});

test("so is one that was lost after the start, although nobody asks again", async () => {
  const { check, there, ready } = someTopics(["p.deliveries", "p.attempts"]);
  await check.start();
  await waitFor(() => ready().isOk);
  there.delete("p.attempts");
  await expect(check.look()).rejects.toThrow("p.attempts does not exist");

  there.set("p.attempts", 4);

  await waitFor(() => ready().isOk);
});
