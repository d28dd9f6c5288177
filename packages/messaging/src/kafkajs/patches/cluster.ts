/** kafkajs' own view of the cluster, which a producer keeps to itself. Bound to kafkajs 2.2.4 (the client checks the version). */
import type { Kafka } from "kafkajs";

/** The part of kafkajs' Broker that is asked about a whole group. */
export interface Coordinator {
  describeGroups(of: { groupIds: string[] }): Promise<{
    groups: { members: { memberId: string; memberMetadata: Buffer }[] }[];
  }>;
  /** Takes any member out of the group: the broker does not ask who sends it. */
  leaveGroup(of: { groupId: string; memberId: string }): Promise<unknown>;
}

/** The part of kafkajs' Cluster that the adapters use. */
export interface Cluster {
  connect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { readonly leader: number }[];
  /** Connected. */
  findBroker(broker: { readonly nodeId: string }): Promise<unknown>;
  /** Connected. */
  findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
}

type CreateCluster = (...options: unknown[]) => Cluster;

/** What `make` makes of the client, and the cluster that was made for it on the way. */
export function withCluster<T>(
  client: Kafka,
  make: () => T,
): { made: T; cluster: Cluster } {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (symbol === undefined)
    throw new Error("kafkajs' Kafka has no createCluster: expected 2.2.4");
  // The property is kafkajs' own; its description was just checked.
  const holder = client as unknown as Record<symbol, CreateCluster>;
  const create = holder[symbol]!;
  let cluster: Cluster | undefined;
  holder[symbol] = (...options) => (cluster = create(...options));
  try {
    const made = make();
    if (cluster === undefined) throw new Error("kafkajs made no cluster");
    return { made, cluster };
  } finally {
    holder[symbol] = create;
  }
}

/** Every further try through this cluster fails, as not retriable: retries in progress end instead of connecting again. */
export function closeCluster(cluster: Partial<Cluster>): void {
  const closed = (): Promise<never> =>
    Promise.reject(
      Object.assign(new Error("this client was closed"), {
        retriable: false,
      }),
    );
  cluster.connect = closed;
  cluster.refreshMetadata = closed;
  cluster.refreshMetadataIfNecessary = closed;
  cluster.addMultipleTargetTopics = closed;
  cluster.findBroker = closed;
}
