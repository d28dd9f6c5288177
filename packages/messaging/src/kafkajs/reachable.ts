/**
 * Asks over separate connections whether the cluster can be reached, or serves a group. The client must have few retries (`PROBE_RETRY`): an admin
 * connects with the retries of its client, whatever retries it is given itself, and with `KAFKAJS_RETRY` it never gives up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka as KafkajsClient } from "kafkajs";
import { LATE, within } from "@postrider/runtime";
import { closeCluster, withCluster, type Cluster } from "./patches/cluster.ts";

/** From one try to the next while the cluster cannot be reached, or a topic is missing, ms. */
const INTERVAL_MS = 500;

/** A coordinator that has not answered for so long does not serve its group, ms. With the 10 s before a question and its end it must stay well below the 60 s after which a loop is stuck. */
const PATIENCE_MS = 20_000;

/** Waits until the cluster answers and has the topics, or the signal aborts. kafkajs' own wait cannot be aborted. */
export async function reach(
  client: KafkajsClient,
  topics: readonly string[],
  signal: AbortSignal,
  onFault: (fault: Error) => void,
): Promise<void> {
  const admin = client.admin();
  try {
    while (!signal.aborted) {
      try {
        await admin.connect();
        await admin.fetchTopicMetadata({ topics: [...topics] });
        return;
      } catch (fault) {
        onFault(fault instanceof Error ? fault : new Error(String(fault)));
      }
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Whether the group's coordinator can be found and knows the group: false while no broker answers, there is no coordinator, or it is still loading. Resolves soon after 20 s at the latest; never rejects. */
export async function isGroupServed(
  client: KafkajsClient,
  group: { readonly groupId: string; readonly topics: readonly string[] },
): Promise<boolean> {
  const { made: admin, cluster } = withCluster(client, () => client.admin());
  try {
    return (await within(describe(cluster, group), PATIENCE_MS)) !== LATE;
  } catch {
    return false;
  } finally {
    // After the time the question still runs: without this it would go on and connect again.
    closeCluster(cluster);
    await admin.disconnect().catch(() => undefined);
  }
}

/** Rejects if the coordinator answers with an error, as it does while it loads the group. An unknown group is no error. */
async function describe(
  cluster: Cluster,
  { groupId, topics }: Parameters<typeof isGroupServed>[1],
): Promise<void> {
  await cluster.connect();
  // Without topics kafkajs would ask for those of the whole cluster, and fail if any partition has no leader.
  await cluster.addMultipleTargetTopics(topics);
  const coordinator = await cluster.findGroupCoordinator({ groupId });
  await coordinator.describeGroups({ groupIds: [groupId] });
}
