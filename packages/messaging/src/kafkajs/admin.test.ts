import { expect, test } from "@jest/globals";
import type { Admin as KafkajsAdmin } from "kafkajs";
import { createAdmin } from "./admin.ts";
import type { Cluster } from "./patches/cluster.ts";

type Metadata = Awaited<ReturnType<KafkajsAdmin["fetchTopicMetadata"]>>;

const TOPIC = {
  topic: "t",
  partitions: 1,
  replicationFactor: 3,
  config: {},
} as const;

/** The metadata of the topic, as a broker gives it that knows this leader. */
function ledBy(leader: number): Metadata {
  const partition = { partitionErrorCode: 0, partitionId: 0, leader };
  const replicas = { replicas: [1, 2, 3], isr: [1, 2, 3], offlineReplicas: [] };
  return {
    topics: [
      { name: TOPIC.topic, partitions: [{ ...partition, ...replicas }] },
    ],
  };
}

const unknownTopic = Object.assign(new Error("unknown"), {
  type: "UNKNOWN_TOPIC_OR_PARTITION",
});
// kafkajs reads a field of the answer that it did not get, if every broker that it asked refused.
const nobodyAnswered = new TypeError("Cannot read properties of null");

/** A cluster whose brokers answer, one after the other, as given; the last answer is repeated. */
function clusterThatAnswers(...answers: (Metadata | Error)[]) {
  const names: string[] = [];
  const asked = { count: 0 };
  const fake = {
    listTopics: async () => names,
    createTopics: async () => {
      names.push(TOPIC.topic);
      return true;
    },
    fetchTopicMetadata: async () => {
      const answer = answers[Math.min(asked.count++, answers.length - 1)];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  // The only calls that a creation makes.
  const admin = fake as unknown as KafkajsAdmin;
  return { admin: createAdmin(admin, {} as Cluster), asked };
}

test("a broker that does not know a new topic yet is no failure: its creation waits until the topic is led", async () => {
  const { admin, asked } = clusterThatAnswers(
    unknownTopic,
    nobodyAnswered,
    ledBy(-1),
    ledBy(2),
  );

  await admin.createTopics([TOPIC]);

  expect(asked.count).toBe(4);
});
