import { Kafka, logLevel, type Admin } from "kafkajs";

async function withAdmin<T>(
  brokers: readonly string[],
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId: "postrider-testkit",
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Makes `prefix + name` for each name: 2 partitions, `control` and `schemas` 1, compacted where Postrider compacts. */
export async function createTopics(
  brokers: readonly string[],
  prefix: string,
  names: readonly string[],
): Promise<string[]> {
  await withAdmin(brokers, (admin) =>
    admin.createTopics({
      waitForLeaders: true,
      topics: names.map((name) => ({
        topic: prefix + name,
        numPartitions: name === "control" || name === "schemas" ? 1 : 2,
        replicationFactor: -1,
        configEntries: settingsOf(name),
      })),
    }),
  );
  return names.map((name) => prefix + name);
}

function settingsOf(name: string): { name: string; value: string }[] {
  if (["control", "schemas", "endpoints"].includes(name))
    return [{ name: "cleanup.policy", value: "compact" }];
  if (name === "events" || name.startsWith("retry."))
    return [{ name: "message.timestamp.type", value: "LogAppendTime" }];
  return [];
}

export async function listTopics(
  brokers: readonly string[],
): Promise<string[]> {
  return await withAdmin(brokers, (admin) => admin.listTopics());
}

export async function deleteTopics(
  brokers: readonly string[],
  topics: readonly string[],
): Promise<void> {
  if (topics.length === 0) return;
  await withAdmin(brokers, (admin) =>
    admin.deleteTopics({ topics: [...topics] }),
  );
}
