/** Gives access to kafkajs' cluster object, which its producers and consumers hide. Written for kafkajs 2.2.4 (`patchKafkajs` checks the version). */
import type { Kafka } from "kafkajs";

/** The part of kafkajs' Broker that sends any request. */
export interface WireBroker {
  readonly connectionPool: {
    send(request: {
      readonly request: object;
      readonly response: object;
    }): Promise<unknown>;
  };
}

/** The part of kafkajs' Broker that deals with a whole group. */
export interface Coordinator extends WireBroker {
  /** Of the groups that this broker coordinates, those that we may describe. */
  listGroups(): Promise<{ groups: { groupId: string }[] }>;
  /** Rejects if it does not coordinate one of them. */
  describeGroups(of: { groupIds: string[] }): Promise<{
    groups: {
      groupId: string;
      state: string;
      members: {
        memberId: string;
        clientId: string;
        clientHost: string;
        memberMetadata: Buffer;
        memberAssignment: Buffer;
      }[];
    }[];
  }>;
  /** Removes any member from the group: the broker does not check who sends the request. */
  leaveGroup(of: { groupId: string; memberId: string }): Promise<unknown>;
}

/** The part of kafkajs' Broker that knows the logs of the partitions that it leads. */
export interface Leader {
  /** Rejects if one of the partitions has an error. `timestamp`: -2 for the start, -1 for the end. */
  listOffsets(of: {
    replicaId: -1;
    isolationLevel: 1;
    topics: {
      topic: string;
      partitions: { partition: number; timestamp: number }[];
    }[];
  }): Promise<{
    responses: {
      topic: string;
      partitions: { partition: number; offset: string }[];
    }[];
  }>;
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
  /** Resolves with the broker, connected. */
  findBroker(broker: { readonly nodeId: string }): Promise<unknown>;
  /** Resolves with the controller, connected; in KRaft with any broker. */
  findControllerBroker(): Promise<WireBroker>;
  /** Resolves with the coordinator, connected. */
  findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
}

type CreateCluster = (...options: unknown[]) => Cluster;

/** Calls `make`, which makes a producer or consumer of the client. Returns it with the cluster object that kafkajs made for it. */
export function withCluster<T>(
  client: Kafka,
  make: () => T,
): { made: T; cluster: Cluster } {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (symbol === undefined)
    throw new Error("kafkajs' Kafka has no createCluster: expected 2.2.4");
  // The symbol is that of kafkajs' own property: its description was checked above.
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

/** Closes the cluster object: every later call fails with an error that is not retriable. So retries that are running end and do not connect again. */
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
