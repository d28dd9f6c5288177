/** Asks for brokers and topics with what kafkajs leaves out of its answers: what this client may do, and an error for each topic instead of one for all. */
import type { Cluster } from "./patches/cluster.ts";
import { Encoder, send, type Decoder } from "./wire-request.ts";

export const TOPIC_AUTHORIZATION_FAILED = 29;

export interface TopicMetadata {
  readonly name: string;
  /** 0: none. */
  readonly error: number;
  /** What we may do, a bit for each operation. */
  readonly bits: number;
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  /** The id of a broker; -1 if there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** The ids of the brokers that are up, and these topics. With `ofCluster` also what we may do on the cluster: an authorizer may log that we may not even ask. Rejects where the broker is older than 2.3. */
export async function clusterMetadata(
  cluster: Cluster,
  topics: readonly string[],
  { ofCluster = false }: { readonly ofCluster?: boolean } = {},
): Promise<{
  readonly brokers: readonly number[];
  readonly topics: readonly TopicMetadata[];
  /** A bit for each operation on the cluster. */
  readonly bits: number;
}> {
  await cluster.connect();
  await cluster.refreshMetadataIfNecessary();
  const broker = await cluster.findControllerBroker();
  return await send(broker, {
    apiKey: 3,
    apiVersion: 8,
    apiName: "Metadata",
    // No creation of topics, operations on the cluster if wanted, those on topics.
    body: new Encoder()
      .writeArray(topics)
      .writeBoolean(false)
      .writeBoolean(ofCluster)
      .writeBoolean(true),
    decode(answer) {
      answer.readInt32(); // throttle time
      const brokers = answer.readArray((each) => {
        const id = each.readInt32();
        each.readString(); // host
        each.readInt32(); // port
        each.readString(); // rack
        return id;
      });
      answer.readString(); // cluster id
      answer.readInt32(); // controller
      const found = answer.readArray(readTopic);
      return { brokers, topics: found, bits: answer.readInt32() };
    },
  });
}

function readTopic(topic: Decoder): TopicMetadata {
  const error = topic.readInt16();
  const name = topic.readString();
  topic.readBoolean(); // internal
  const partitions = topic.readArray(readPartition);
  return { name, error, bits: topic.readInt32(), partitions };
}

function readPartition(of: Decoder): PartitionMetadata {
  of.readInt16(); // its error: there is no leader, which the leader says, too
  const partition = of.readInt32();
  const leader = of.readInt32();
  of.readInt32(); // leader epoch
  const [replicas, inSync] = [readIds(of), readIds(of)];
  readIds(of); // offline
  return { partition, leader, replicas, inSync };
}

function readIds(of: Decoder): number[] {
  return of.readArray((id) => id.readInt32());
}
