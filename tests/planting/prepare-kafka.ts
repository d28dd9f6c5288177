import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from "kafkajs";
import type { Tier } from "@postrider/core";
import type { Stack } from "@postrider/local-stack";
import { applyTopics, createKafka, topicPlan } from "@postrider/messaging";
import { testEffects } from "@postrider/testkit";

export const PARTITIONS = 2;

/** The topics, and the rights to do everything: what each service needs is not what this test is about. */
export async function prepareKafka(
  stack: Stack,
  {
    prefix,
    tiers,
    source,
  }: {
    readonly prefix: string;
    readonly tiers: readonly Tier[];
    /** The full name of a topic that is somebody else's. */
    readonly source: string;
  },
): Promise<void> {
  const ours = createKafka(
    { brokers: stack.kafka.brokers, clientId: "setup" },
    testEffects(),
  ).admin();
  await ours.connect();
  await applyTopics(ours, topicPlan({ prefix, tiers, partitions: PARTITIONS }));
  await ours.disconnect();
  const admin = new Kafka({
    brokers: [...stack.kafka.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic: source, numPartitions: 1 }],
    // kafkajs gives up where the broker has not heard of the topic yet.
    waitForLeaders: false,
  });
  const resources = [
    [AclResourceTypes.TOPIC, "*"],
    [AclResourceTypes.GROUP, "*"],
    [AclResourceTypes.TRANSACTIONAL_ID, "*"],
    [AclResourceTypes.CLUSTER, "kafka-cluster"],
  ] as const;
  await admin.createAcls({
    acl: resources.map(([resourceType, resourceName]) => ({
      resourceType,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: "User:postrider",
      host: "*",
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  });
  await admin.disconnect();
}
