/**
 * How many partitions the topics have that a change is written to. Invariant: a tenure begins only after a count that found them all
 * (docs/adr/0028-a-change-and-its-audit-record-are-one.md); otherwise the first change would end it. A replica that lacks a topic is not
 * ready, so that a roll stops at it and the replicas before it go on.
 */
import { createTopicsCheck, type TopicsCheck } from "@postrider/messaging";

export interface WrittenTopics extends Pick<
  TopicsCheck,
  "start" | "stop" | "health"
> {
  /** Counts anew: a key must stay in its partition for as long as a tenure lasts. Rejects while a topic is missing, with what to do. */
  count(): Promise<void>;
  /** As of the last `count` that found them all. */
  partitionsOf(topic: string): number;
}

export function createWrittenTopics(
  options: Omit<Parameters<typeof createTopicsCheck>[0], "withoutThem">,
): WrittenTopics {
  const check = createTopicsCheck({
    ...options,
    withoutThem: "no change is written",
  });
  let counts: ReadonlyMap<string, number> = new Map();
  return {
    ...check,
    async count() {
      counts = await check.look();
    },
    partitionsOf: (topic) => counts.get(topic) ?? 0,
  };
}
