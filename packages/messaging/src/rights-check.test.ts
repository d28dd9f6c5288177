import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { recordingLog, waitFor } from "@postrider/testkit";
import { createAskedAdmin } from "./asked-admin.ts";
import type { Admin, Operation } from "./ports.ts";
import { createRightsCheck, type RightsCheck } from "./rights-check.ts";
import { rightsOf } from "./rights.ts";

/** What Kafka answers of every topic; an error is thrown. Groups are not told. */
type Answer = readonly Operation[] | Error;

/** A check that asks at once again, and what Kafka answers from now on. */
function aCheck(first: Answer): {
  readonly check: RightsCheck;
  readonly log: ReturnType<typeof recordingLog>;
  readonly asked: () => number;
  answer(answer: Answer): void;
  /** Whether the start has ended by now. */
  start(): () => boolean;
} {
  let answer = first;
  let asked = 0;
  const topicOperations: Admin["topicOperations"] = (topics) => {
    asked += 1;
    if (answer instanceof Error) return Promise.reject(answer);
    const operations = new Set(answer);
    return Promise.resolve(new Map(topics.map((name) => [name, operations])));
  };
  const nothing = () => Promise.resolve(new Map());
  const admin: Partial<Admin> = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    topicOperations,
    groupOperations: nothing,
    transactionOperations: nothing,
  };
  const log = recordingLog();
  const check = createRightsCheck({
    admin: createAskedAdmin(() => admin as Admin, { idleMs: 1 }), // what the check uses of it
    rights: rightsOf("door", { prefix: "p.", tiers: [] }),
    security: { kafkaSaslUsername: "door", kafkaOauthClientId: null },
    log,
    againMs: 1,
  });
  return {
    check,
    log,
    asked: () => asked,
    answer: (next) => void (answer = next),
    start() {
      let isOver = false;
      void check.start().then(() => (isOver = true));
      return () => isOver;
    },
  };
}

test("the start waits while a right is missing, and ends once it is granted", async () => {
  const { check, asked, answer, start } = aCheck(["Read"]);

  const isOver = start();
  await waitFor(() => asked() > 2);
  const meanwhile = [isOver(), check.health().ready];
  answer(["Read", "Write"]);
  await waitFor(isOver);

  expect(meanwhile).toEqual([
    false,
    [
      {
        name: "kafka-rights",
        isOk: false,
        detail: expect.stringContaining("User:door: Write on topic p.events"),
      },
    ],
  ]);
  expect(check.health().ready).toMatchObject([{ isOk: true }]);
});

test("a start that Kafka cannot answer does not wait", async () => {
  const { check, start } = aCheck(new Error("older than 2.3"));

  await waitFor(start());

  expect(check.health().ready).toMatchObject([{ isOk: true }]);
});

test("what was missing is still missing while the broker is away", async () => {
  const { asked, answer, start } = aCheck(["Read"]);

  const isOver = start();
  await waitFor(() => asked() > 0);
  answer(new Error("no broker"));
  const before = asked();
  await waitFor(() => asked() > before + 2);
  const wasOver = isOver();
  answer(["Read", "Write"]);
  await waitFor(isOver);

  expect(wasOver).toBe(false);
});

test("a stop ends a start that waits", async () => {
  const { check, asked, start } = aCheck([]);

  const isOver = start();
  await waitFor(() => asked() > 0 && !check.health().ready[0]!.isOk);
  await check.stop(0);
  await waitFor(isOver);
  const before = asked();
  await nextTurn();

  expect(asked()).toBe(before);
});

test("a doubt asks again, and what is missing is told until it is granted", async () => {
  const { check, log, answer, start } = aCheck(["Read", "Write"]);
  await waitFor(start());

  answer(["Read"]);
  await waitFor(() => {
    check.doubt();
    return check.health().ready.some(({ isOk }) => !isOk);
  });
  answer(["Read", "Write"]);
  await waitFor(() => check.health().ready.every(({ isOk }) => isOk));

  expect(log.of("kafka.rightsMissing").length).toBeGreaterThan(0);
});
