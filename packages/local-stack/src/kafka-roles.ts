/** Asks a broker for roles: the cluster's id, each partition's leader, a group's coordinator. */
import {
  array,
  connectWire,
  flag,
  text,
  type KafkaWire,
} from "./kafka-wire.ts";

const METADATA = 3;
const FIND_COORDINATOR = 10;

const SILENT_MS = 1000;

/** The cluster id that the broker on this port reports; null when none answers. */
export async function clusterIdAt(port: number): Promise<string | null> {
  const wire = await connectWire(port, SILENT_MS);
  try {
    return (await metadata(wire, [])).clusterId;
  } finally {
    wire.close();
  }
}

/** The node id of each partition's leader, by partition; null for a partition without one. Asks the first broker that answers. */
export async function leadersOf(
  brokers: readonly string[],
  topic: string,
): Promise<(number | null)[]> {
  return await askAny(brokers, async (wire) => {
    const leaders: (number | null)[] = [];
    for (const { partition, leader } of (await metadata(wire, [topic])).leaders)
      leaders[partition] = leader < 0 ? null : leader;
    return leaders;
  });
}

/** The node id of the group's coordinator; null while there is none. Asks the first broker that answers. */
export async function coordinatorOf(
  brokers: readonly string[],
  groupId: string,
): Promise<number | null> {
  return await askAny(
    brokers,
    async (wire) =>
      (await findCoordinator(wire, "group", groupId))?.nodeId ?? null,
  );
}

export type CoordinatorType = "group" | "transaction";

/** Null while the broker knows no coordinator. */
export async function findCoordinator(
  wire: KafkaWire,
  type: CoordinatorType,
  key: string,
): Promise<{ readonly nodeId: number; readonly port: number } | null> {
  const answer = await wire.request(FIND_COORDINATOR, 1, [
    text(key),
    flag(type === "transaction"),
  ]);
  answer.int32();
  const error = answer.int16();
  answer.text();
  const nodeId = answer.int32();
  answer.text();
  return error === 0 ? { nodeId, port: answer.int32() } : null;
}

interface Metadata {
  readonly clusterId: string | null;
  readonly leaders: readonly {
    readonly partition: number;
    readonly leader: number;
  }[];
}

/** The partitions of all the named topics, in one list. */
async function metadata(
  wire: KafkaWire,
  topics: readonly string[],
): Promise<Metadata> {
  const asked = array(topics.map((topic) => [text(topic)]));
  const answer = await wire.request(METADATA, 4, [asked, flag(false)]);
  answer.int32();
  answer.array(() => [
    answer.int32(),
    answer.text(),
    answer.int32(),
    answer.text(),
  ]);
  const clusterId = answer.text();
  answer.int32();
  const leaders = answer.array(() => {
    answer.int16();
    answer.text();
    answer.int8();
    return answer.array(() => {
      answer.int16();
      const partition = answer.int32();
      const leader = answer.int32();
      answer.array(() => answer.int32());
      answer.array(() => answer.int32());
      return { partition, leader };
    });
  });
  return { clusterId, leaders: leaders.flat() };
}

async function askAny<T>(
  brokers: readonly string[],
  ask: (wire: KafkaWire) => Promise<T>,
): Promise<T> {
  let last: unknown = new Error("no broker was named");
  for (const broker of brokers) {
    try {
      const wire = await connectWire(Number(broker.split(":")[1]), SILENT_MS);
      try {
        return await ask(wire);
      } finally {
        wire.close();
      }
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
