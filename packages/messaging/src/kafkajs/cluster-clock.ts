/**
 * Asks Kafka's controller for its time: DescribeQuorum (KIP-836, since Kafka 3.3), in which the leader of the quorum says of
 * itself that it has fetched now. It needs Describe on the cluster.
 */
import type { EpochMs } from "@postrider/core";
import type { Cluster } from "./patches/cluster.ts";
import { Encoder, send, type Decoder } from "./wire-request.ts";

const TOPIC = "__cluster_metadata";

/** The tags of the request's header, then one topic with one partition; every list's length is one more than it has, and every struct ends with its tags. */
const BODY = Buffer.concat([
  Buffer.of(0, 2, TOPIC.length + 1),
  Buffer.from(TOPIC),
  Buffer.of(2, 0, 0, 0, 0, 0, 0, 0),
]);

/** Null where the controller does not tell it: to this user, or at all. */
export async function controllerClock(
  cluster: Cluster,
): Promise<EpochMs | null> {
  await cluster.connect();
  await cluster.refreshMetadataIfNecessary();
  const found = await send(await cluster.findControllerBroker(), {
    apiKey: 55,
    apiVersion: 1,
    apiName: "DescribeQuorum",
    body: new Encoder().writeBuffer(BODY),
    decode(answer) {
      answer.readTaggedFields(); // of the header
      if (answer.readInt16() !== 0) return [];
      return answer.readUVarIntArray((topic) => {
        topic.readUVarIntString();
        return topic.readUVarIntArray(timeOfLeader);
      });
    },
  }).catch(() => []);
  return found.flat()[0] ?? null;
}

/** Reads one partition of the answer as far as its voters: nothing behind them is needed. */
function timeOfLeader(partition: Decoder): EpochMs | null {
  partition.readInt32(); // index
  const error = partition.readInt16();
  const leader = partition.readInt32();
  partition.readInt32(); // epoch
  partition.readInt64(); // high watermark
  if (error !== 0) return null;
  const times = partition.readUVarIntArray((voter) => {
    const id = voter.readInt32();
    voter.readInt64(); // log end
    const fetchedAt = Number(voter.readInt64().toString());
    voter.readInt64(); // caught up
    voter.readTaggedFields();
    return id === leader ? fetchedAt : null;
  });
  return times.find((time) => time !== null) ?? null;
}
