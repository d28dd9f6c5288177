import { expect, test } from "@jest/globals";
import type { FetchedRecords } from "./fetched-records.ts";
import {
  BINDING,
  heartbeatBegunAt,
  registerBinding,
  rereadsOf,
  type ConsumerGroup,
} from "./group-binding.ts";

/** As kafkajs does, those who ask while a heartbeat is under way share it. */
function groupWithHeartbeats() {
  let answer = Promise.withResolvers<void>();
  const prototype = {
    heartbeat: (_given: unknown) => answer.promise,
  } as Parameters<typeof registerBinding>[0]["prototype"];
  registerBinding({ prototype });
  const group = Object.create(prototype) as ConsumerGroup & typeof prototype;
  return {
    group,
    answered: () => {
      answer.resolve();
      answer = Promise.withResolvers<void>();
    },
  };
}

function laterThan(time: number): number {
  let now = performance.now();
  while (now <= time) now = performance.now();
  return now;
}

test("a heartbeat counts from when the first of those who share it asked, not from its answer", async () => {
  const { group, answered } = groupWithHeartbeats();
  const first = group.heartbeat({});
  const asked = performance.now();
  laterThan(asked);

  const second = group.heartbeat({});

  expect(heartbeatBegunAt(group)).toBeLessThanOrEqual(asked);
  answered();
  await Promise.all([first, second]);
});

test("the next heartbeat counts from its own beginning", async () => {
  const { group, answered } = groupWithHeartbeats();
  const first = group.heartbeat({});
  answered();
  await first;
  const before = performance.now();

  const next = group.heartbeat({});

  expect(heartbeatBegunAt(group)).toBeGreaterThanOrEqual(before);
  answered();
  await next;
});

test("a fetch is short while a partition is paused or held back for a reread, and else as long as the member's longest", async () => {
  const waits: number[] = [];
  let isPaused = false;
  const prototype = {
    fetch(this: ConsumerGroup) {
      waits.push(this.maxWaitTime);
      return Promise.resolve([]);
    },
  } as unknown as Parameters<typeof registerBinding>[0]["prototype"];
  registerBinding({ prototype });
  const group = Object.assign(
    Object.create(prototype) as ConsumerGroup & typeof prototype,
    {
      assigners: [{ [BINDING]: {} }],
      memberId: "member",
      maxWaitTime: 250,
      paused: () => [{ partitions: isPaused ? [3] : [] }],
    },
  );

  await group.fetch("1");
  isPaused = true;
  await group.fetch("1");
  isPaused = false;
  const place = { topic: "events", partition: 3, fetchedOffset: "7" };
  const unreadable = { lastOffset: 9, reason: "checksum", detail: "broken" };
  const broken = { broken: { unreadable }, isDoubtful: false };
  // The first reread is made at once, the second one after a while.
  for (let i = 0; i < 2; i++)
    rereadsOf(group).isWanted(place, broken as unknown as FetchedRecords);
  await group.fetch("1");

  expect(waits).toEqual([250, 100, 100]);
});
