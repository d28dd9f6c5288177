import type { Kafka, RawRecord } from "@postrider/messaging";
import type { TestStack } from "./use-stack.ts";

/** A consumer that passes on each record of a topic as it arrives, from the log's beginning; `name` is without the prefix. Stop it before the topic goes. */
export function followTopic(
  { prefix, sessionTimeoutMs }: Pick<TestStack, "prefix" | "sessionTimeoutMs">,
  of: { readonly kafka: Kafka; readonly name: string },
  onRecord: (raw: RawRecord) => void,
): { start(): Promise<void>; stop(): Promise<void> } {
  const consumer = of.kafka.consumer({
    groupId: `${prefix}test-${of.name}`,
    topics: [prefix + of.name],
    sessionTimeoutMs,
  });
  return {
    start: () =>
      consumer.start({
        assigned(_, partitions) {
          for (const partition of partitions) consumer.seek(partition, 0);
          consumer.resume(partitions);
        },
        revoking() {},
        batch(_, { records }) {
          for (const raw of records) onRecord(raw);
        },
        outOfRange() {},
        connected() {},
      }),
    stop: () => consumer.stop(),
  };
}
