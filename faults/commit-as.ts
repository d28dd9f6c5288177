import type { Kafka, TopicPartition } from "@postrider/messaging";

/** Commits offsets for a group without members, by joining it as its only member. */
export async function commitAs(
  kafka: Kafka,
  groupId: string,
  topic: string,
  wanted: (partition: TopicPartition) => {
    readonly offset: number;
    readonly metadata: string;
  },
): Promise<void> {
  const consumer = kafka.consumer({
    groupId,
    topics: [topic],
    sessionTimeoutMs: 6_000,
  });
  const done = Promise.withResolvers<void>();
  await consumer.start({
    assigned(epoch, partitions) {
      const offsets = partitions.map((at) => ({ ...at, ...wanted(at) }));
      consumer.commit(epoch, offsets).then(done.resolve, done.reject);
    },
    revoking() {},
    batch() {},
    outOfRange() {},
    connected() {},
  });
  try {
    await done.promise;
  } finally {
    await consumer.stop();
  }
}
