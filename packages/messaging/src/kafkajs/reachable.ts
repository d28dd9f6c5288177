/**
 * Asks over separate connections whether the cluster can be reached. The client must have few retries (`PROBE_RETRY`): an admin
 * connects with the retries of its client, whatever retries it is given itself, and with `KAFKAJS_RETRY` it never gives up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka as KafkajsClient } from "kafkajs";

/** From one try to the next while the cluster cannot be reached, or a topic is missing, ms. */
const INTERVAL_MS = 500;

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

export async function isReachable(client: KafkajsClient): Promise<boolean> {
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
