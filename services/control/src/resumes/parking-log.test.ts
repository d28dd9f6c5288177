import { expect, test } from "@jest/globals";
import { partitionOf, type Admin, type LogRange } from "@postrider/messaging";
import { testEffects } from "@postrider/testkit";
import { createParkingLog } from "./parking-log.ts";

const ID = "ep_1";

/** A parking log whose topics have these partitions, each with ten records, of which the dispatchers have committed `committed`. */
function aLog() {
  const state = { deadLetters: 4, deliveries: 4, committed: 0, nowMs: 0 };
  let questions = 0;
  const admin: Partial<Admin> = {
    connect: async () => {},
    disconnect: async () => {},
    fetchLogRanges: async ([topic = ""]) => {
      questions += 1;
      const { deliveries, deadLetters } = state;
      return Array.from(
        { length: topic === "t.deliveries" ? deliveries : deadLetters },
        (_, partition): LogRange => ({ topic, partition, start: 0, end: 10 }),
      );
    },
    fetchCommitted: async (_group, [topic = ""]) => {
      questions += 1;
      const partition = partitionOf(Buffer.from(ID), 4);
      return [{ topic, partition, offset: state.committed, metadata: "" }];
    },
  };
  const { clock } = testEffects();
  const log = createParkingLog({
    admin: () => admin as Admin, // the rest is not called
    prefix: "t.",
    clock: { ...clock, monotonic: () => state.nowMs },
  });
  return { log, state, questions: () => questions };
}

const MINUTE_MS = 60_000;

test("a count of partitions is known to the dispatchers once it has held for a while, and a higher one is not", async () => {
  const { log, state } = aLog();
  const isCountKnown = async () => (await log.deadLetterLog()).isCountKnown;

  expect(await isCountKnown()).toBe(false);
  state.nowMs = 20 * MINUTE_MS;
  expect(await isCountKnown()).toBe(true);
  state.deadLetters = 8;
  expect(await isCountKnown()).toBe(false);
  state.nowMs = 40 * MINUTE_MS;
  expect(await isCountKnown()).toBe(true);
});

test("the dispatchers are asked about the partition whose end was asked for, also when deliveries got more since", async () => {
  const { log, state } = aLog();
  const place = await log.dispatchers.endFor(ID);

  state.deliveries = 64;
  expect(await log.dispatchers.havePassed(place)).toBe(false);
  state.committed = 10;

  expect(await log.dispatchers.havePassed(place)).toBe(true);
});

test("a thousand resumes that look at the same time share their questions to Kafka", async () => {
  const { log, questions } = aLog();

  await Promise.all(
    Array.from({ length: 1_000 }, async () => {
      await log.deadLetterLog();
      await log.dispatchers.havePassed(await log.dispatchers.endFor(ID));
    }),
  );

  expect(questions()).toBeLessThan(20);
});
