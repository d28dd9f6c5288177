import {
  applyTopics,
  createKafka,
  topicPlan,
  type Admin,
  type Kafka,
  type TopicDescription,
} from "@postrider/messaging";
import { testEffects } from "./test-effects.ts";
import { waitFor } from "./wait-for.ts";

/** Few, so that topics are made quickly, but more than one, so that tests can tell partitions apart. */
const PARTITIONS = 2;

/** The product's own Kafka adapters, with a log that prints nothing. */
export function kafkaAt(brokers: readonly string[], clientId: string): Kafka {
  return createKafka({ brokers, clientId }, testEffects());
}

/** Makes the topic `prefix + name` for each name. A topic of the plan gets the plan's settings, any other the defaults. 2 partitions each; `control` and `schemas` have 1. */
export async function createTopics(
  kafka: Kafka,
  prefix: string,
  names: readonly string[],
): Promise<string[]> {
  const plan = planOf(
    prefix,
    names.filter((name) => name.startsWith("retry.")),
  );
  const topics = names.map(
    (name) =>
      plan.find(({ topic }) => topic === prefix + name) ?? {
        topic: prefix + name,
        partitions: PARTITIONS,
        replicationFactor: -1,
        config: {},
      },
  );
  return await makeTopics(kafka, topics);
}

/** Makes every topic of the plan, and the given tiers (`retry.1s`). */
export async function createAllTopics(
  kafka: Kafka,
  prefix: string,
  tierTopics: readonly string[],
): Promise<string[]> {
  const plan = planOf(prefix, tierTopics);
  return await makeTopics(kafka, plan);
}

/** Waits until the leaders answer: right after a topic is made, they may refuse to be its leaders. */
async function makeTopics(
  kafka: Kafka,
  topics: readonly TopicDescription[],
): Promise<string[]> {
  await withAdmin(kafka, (admin) => applyTopics(admin, topics));
  const names = topics.map(({ topic }) => topic);
  const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0);
  // A new client each time: after an error kafkajs would ask the same leader again.
  await waitFor(
    () =>
      withAdmin(kafka, async (admin) => {
        const led = await admin.fetchLogRanges(names);
        return led.length >= partitions;
      }),
    { what: `the leaders of ${names.join(", ")}` },
  );
  return names;
}

function planOf(
  prefix: string,
  tierTopics: readonly string[],
): TopicDescription[] {
  return topicPlan({
    prefix,
    tiers: tierTopics.map((topic) => ({ topic })),
    partitions: PARTITIONS,
    tierPartitions: PARTITIONS,
  });
}

export async function topicsUnder(
  kafka: Kafka,
  prefix: string,
): Promise<string[]> {
  const topics = await withAdmin(kafka, (admin) => admin.listTopics());
  return topics.filter((topic) => topic.startsWith(prefix));
}

export async function deleteTopicsUnder(
  kafka: Kafka,
  prefix: string,
): Promise<void> {
  const topics = await topicsUnder(kafka, prefix);
  if (topics.length > 0)
    await withAdmin(kafka, (admin) => admin.deleteTopics(topics));
}

async function withAdmin<T>(
  kafka: Kafka,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
