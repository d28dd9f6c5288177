import { expect, test } from "@jest/globals";
import {
  FakeConsumer,
  TOPIC,
  soon,
  storedCommit,
  testEffects,
  turns,
} from "@postrider/testkit";
import { Assignment } from "./assignment.ts";
import { OwnedPartition } from "./owned-partition.ts";

const PARTITION = { topic: TOPIC, partition: 0 };

test("a log that is cut while an assignment is being settled leaves one partition in hand, and nothing goes on at its old place", async () => {
  const effects = testEffects();
  const consumer = new FakeConsumer({ topic: TOPIC, clock: effects.clock });
  const reading: OwnedPartition[] = [];
  const settled: number[] = [];
  const assignment = new Assignment({
    ...effects,
    consumer,
    warmUp: { records: 0, ms: Infinity },
    events: {
      lost: () => undefined,
      reading: (owned) => void reading.push(owned),
      misplaced: () => undefined,
      settled: (epoch) => void settled.push(epoch),
      offsetsLost: () => undefined,
    },
  });
  await consumer.start({
    assigned: (epoch, partitions) => assignment.assigned(epoch, partitions),
    revoking: () => assignment.revoking(),
    batch: () => undefined,
    connected: () => undefined,
    outOfRange: (epoch, at) => void assignment.outOfRange(epoch, at),
  });
  consumer.append(0, ...Array.from({ length: 20 }, (_, n) => `a/${n}`));
  consumer.stored.set(
    0,
    storedCommit({ offset: 20, next: 20, open: [] }, "another"),
  );
  consumer.assign(0);
  await soon(() => settled.length === 1);
  const first = assignment.get(PARTITION)!;

  // What is stored is asked for; before the answer comes the log is shorter than where we stand, and reading begins anew.
  const gate = Promise.withResolvers<void>();
  consumer.fetchGate = gate.promise;
  consumer.revoke();
  consumer.assign(0);
  consumer.log(0).splice(5);
  consumer.listener!.outOfRange(consumer.epoch, PARTITION);
  await turns();
  const second = assignment.get(PARTITION)!;
  gate.resolve();
  await soon(() => settled.length === 2);

  expect(second).not.toBe(first);
  expect(first.state).toBe("lost");
  expect(reading.lastIndexOf(first)).toBeLessThan(reading.indexOf(second));
  expect(assignment.size).toBe(1);
  expect(consumer.positions.get(0)).toBeLessThanOrEqual(consumer.end(0));
  assignment.stop();
});

test("a partition that was lost is never read again", () => {
  const owned = new OwnedPartition(PARTITION);
  owned.lose();

  expect(() =>
    owned.load(
      {
        kind: "as_committed",
        base: 0,
        next: 0,
        seekTo: 0,
        openRuns: [],
        lost: 0,
      },
      { ...PARTITION, offset: 0, metadata: "" },
    ),
  ).toThrow(`${TOPIC}:0 was lost`);
});
