import { expect, test } from "@jest/globals";
import type {
  Consumer,
  ConsumerListener,
  FencedProducer,
} from "@postrider/messaging";
import { testEffects, waitFor } from "@postrider/testkit";
import { createOwnership, type Tenure } from "./ownership.ts";

const CONTROL = [{ topic: "control", partition: 0 }];

/** A consumer group that the test controls, and producers that it counts. */
function aGroup() {
  let listener: ConsumerListener | undefined;
  let heartbeatAt = 0;
  const producers: { isOpen: boolean }[] = [];
  const steps: string[] = [];
  let caughtUp: () => Promise<void> = async () => {};
  const consumer = {
    start: async (given: ConsumerListener) => {
      listener = given;
    },
    resume: () => {},
    lastHeartbeatAt: () => heartbeatAt,
    stop: async () => void steps.push("left"),
  } as unknown as Consumer; // ownership calls no other method
  const ownership = createOwnership({
    ...testEffects(),
    consumer,
    settleMs: 0,
    fencedProducer: async () => {
      const producer = { isOpen: true };
      producers.push(producer);
      steps.push("fenced");
      return {
        send: async () => [],
        disconnect: async () => void (producer.isOpen = false),
      } satisfies FencedProducer;
    },
    catchUp: async () => {
      steps.push("caught up");
      await caughtUp();
    },
  });
  const tenures: Tenure[] = [];
  ownership.onTenure((tenure) => tenures.push(tenure));
  return {
    ownership,
    tenures,
    producers,
    steps,
    group: (): ConsumerListener => {
      if (listener === undefined) throw new Error("not started");
      return listener;
    },
    heartbeat: (at: number) => (heartbeatAt = at),
    whenCatchingUp: (wait: () => Promise<void>) => (caughtUp = wait),
  };
}

test("the owner fences first and reads the table to its end after that", async () => {
  const { ownership, group, steps, tenures } = aGroup();
  await ownership.start();
  expect(ownership.describe().state).toBe("follower");

  group().assigned(1, CONTROL);
  await waitFor(() => tenures.length === 1);

  expect(steps).toEqual(["fenced", "caught up"]);
  expect(ownership.tenure()).not.toBeNull();
  expect(ownership.describe().state).toBe("owner");
});

test("a member without the partition stays a follower", async () => {
  const { ownership, group, producers } = aGroup();
  await ownership.start();

  group().assigned(1, []);

  expect(ownership.tenure()).toBeNull();
  expect(producers).toHaveLength(0);
});

test.each([
  ["a rebalance", (group: ConsumerListener) => group.revoking(1)],
  ["a lost connection", (group: ConsumerListener) => group.connected(false)],
])("%s ends the tenure at once", async (_why, happen) => {
  const { ownership, group, tenures, producers } = aGroup();
  await ownership.start();
  group().assigned(1, CONTROL);
  await waitFor(() => tenures.length === 1);

  happen(group());

  expect(ownership.tenure()).toBeNull();
  expect(tenures[0]?.ended.aborted).toBe(true);
  await waitFor(() => producers[0]?.isOpen === false);
});

test("after a failed write ownership is acquired again only after a later heartbeat", async () => {
  const { ownership, group, tenures, heartbeat, producers } = aGroup();
  await ownership.start();
  group().assigned(1, CONTROL);
  await waitFor(() => tenures.length === 1);

  tenures[0]?.fail("fenced");
  expect(ownership.describe().state).toBe("acquiring");
  expect(producers).toHaveLength(1);
  heartbeat(Number.MAX_SAFE_INTEGER);

  await waitFor(() => tenures.length === 2);
  expect(tenures[1]?.ended.aborted).toBe(false);
});

test("an assignment that ends while the table is read makes no owner", async () => {
  const { ownership, group, tenures, producers, whenCatchingUp } = aGroup();
  const reading = Promise.withResolvers<void>();
  whenCatchingUp(() => reading.promise);
  await ownership.start();
  group().assigned(1, CONTROL);
  await waitFor(() => producers.length === 1);

  group().revoking(1);
  reading.resolve();

  await waitFor(() => producers[0]?.isOpen === false);
  expect(tenures).toHaveLength(0);
});

test("two assignments in a row never fence each other: the later one is made last and alone", async () => {
  const { ownership, group, tenures, producers } = aGroup();
  await ownership.start();

  group().assigned(1, CONTROL);
  group().assigned(2, CONTROL);
  await waitFor(() => tenures.length === 1);

  expect(producers.filter((producer) => producer.isOpen)).toHaveLength(1);
  expect(tenures).toHaveLength(1);
});

test("stop ends the tenure before it leaves the group", async () => {
  const { ownership, group, tenures, steps } = aGroup();
  await ownership.start();
  group().assigned(1, CONTROL);
  await waitFor(() => tenures.length === 1);
  tenures[0]?.ended.addEventListener("abort", () => steps.push("ended"));

  await ownership.stop(0);

  expect(steps.slice(-2)).toEqual(["ended", "left"]);
});
