/**
 * Asks the broker what this client may do. kafkajs cannot: the answers that tell it are Metadata from version 8 and
 * DescribeGroups from version 3 (KIP-430), which brokers speak since Kafka 2.3.
 */
import type { GrantedOperations, Operation } from "../ports.ts";
import {
  clusterMetadata,
  TOPIC_AUTHORIZATION_FAILED,
} from "./cluster-metadata.ts";
import type { Cluster, WireBroker } from "./patches/cluster.ts";
import { Encoder, send } from "./wire-request.ts";

/** Kafka's codes of operations; the answer has a bit for each. */
const CODES: Readonly<Record<Operation, number>> = {
  Read: 3,
  Write: 4,
  Create: 5,
  Alter: 7,
  Describe: 8,
  DescribeConfigs: 10,
  AlterConfigs: 11,
};
const NOTHING_SAID = -2_147_483_648;
const GROUP_AUTHORIZATION_FAILED = 30;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53;

/** What FindCoordinator calls the kinds of names that have a coordinator. */
const COORDINATED = { group: 0, transactionalId: 1 } as const;

/** Topics that do not exist are left out. Rejects where the broker is older than 2.3. */
export async function topicOperations(
  cluster: Cluster,
  topics: readonly string[],
): Promise<GrantedOperations> {
  const metadata = await clusterMetadata(cluster, topics);
  return granted(metadata.topics, TOPIC_AUTHORIZATION_FAILED);
}

/** Null where the broker does not tell. Rejects where it is older than 2.3. */
export async function clusterOperations(
  cluster: Cluster,
): Promise<ReadonlySet<Operation> | null> {
  const { bits } = await clusterMetadata(cluster, [], { ofCluster: true });
  return bits === NOTHING_SAID ? null : operationsOf(bits);
}

/** Each group's coordinator is asked, whether the group exists or not. Rejects where a broker is older than 2.3. */
export async function groupOperations(
  cluster: Cluster,
  groups: readonly string[],
): Promise<GrantedOperations> {
  await cluster.connect();
  const all = new Map<string, ReadonlySet<Operation>>();
  for (const groupId of groups)
    for (const [name, operations] of await operationsOn(cluster, groupId))
      all.set(name, operations);
  return all;
}

async function operationsOn(
  cluster: Cluster,
  groupId: string,
): Promise<GrantedOperations> {
  const found = await findCoordinator(cluster, groupId, COORDINATED.group);
  // To find a group's coordinator is to describe the group.
  if (found.error === GROUP_AUTHORIZATION_FAILED)
    return new Map([[groupId, new Set()]]);
  if (found.error !== 0) return new Map();
  const nodeId = String(found.nodeId);
  // kafkajs returns the broker that sends requests, connected.
  const broker = (await cluster.findBroker({ nodeId })) as WireBroker;
  const answers = await send(broker, {
    apiKey: 15,
    apiVersion: 3,
    apiName: "DescribeGroups",
    body: new Encoder().writeArray([groupId]).writeBoolean(true),
    decode(answer) {
      answer.readInt32(); // throttle time
      return answer.readArray((group) => {
        const error = group.readInt16();
        const name = group.readString();
        for (const _ of ["state", "protocol type", "protocol"])
          group.readString();
        group.readArray((member) => {
          for (const _ of ["id", "client", "host"]) member.readString();
          member.readBytes();
          member.readBytes();
        });
        return { name, error, bits: group.readInt32() };
      });
    },
  });
  return granted(answers, GROUP_AUTHORIZATION_FAILED);
}

/**
 * Only whether the transactional ids may be described, because no request without an effect tells more: of one that may not be,
 * nothing is granted, and the others are left out. To write is also to describe, so what is left out may lack the right all the same.
 */
export async function transactionOperations(
  cluster: Cluster,
  transactionalIds: readonly string[],
): Promise<GrantedOperations> {
  await cluster.connect();
  const all = new Map<string, ReadonlySet<Operation>>();
  for (const id of transactionalIds) {
    const kind = COORDINATED.transactionalId;
    const { error } = await findCoordinator(cluster, id, kind);
    if (error === TRANSACTIONAL_ID_AUTHORIZATION_FAILED) all.set(id, new Set());
  }
  return all;
}

/** kafkajs' own search asks again for ever while the group may not be described. */
async function findCoordinator(
  cluster: Cluster,
  name: string,
  kind: number,
): Promise<{ readonly error: number; readonly nodeId: number }> {
  return await send(await cluster.findControllerBroker(), {
    apiKey: 10,
    apiVersion: 1,
    apiName: "FindCoordinator",
    body: new Encoder().writeString(name).writeInt8(kind),
    decode(answer) {
      answer.readInt32(); // throttle time
      const error = answer.readInt16();
      answer.readString(); // the error's text
      return { error, nodeId: answer.readInt32() };
    },
  });
}

interface Answer {
  readonly name: string;
  readonly error: number;
  readonly bits: number;
}

function granted(
  answers: readonly Answer[],
  refused: number,
): GrantedOperations {
  return new Map(
    answers.flatMap(({ name, error, bits }) => {
      if (error === refused) return [[name, new Set<Operation>()] as const];
      if (error !== 0 || bits === NOTHING_SAID) return [];
      return [[name, operationsOf(bits)] as const];
    }),
  );
}

function operationsOf(bits: number): ReadonlySet<Operation> {
  // The keys of CODES are the operations.
  const all = Object.keys(CODES) as Operation[];
  return new Set(all.filter((operation) => bits & (1 << CODES[operation])));
}
