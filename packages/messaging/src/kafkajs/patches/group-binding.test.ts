import { expect, test } from "@jest/globals";
import {
  heartbeatBegunAt,
  registerBinding,
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
