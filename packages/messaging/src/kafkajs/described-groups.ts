/** Groups with their members, as people look at them: asks each broker once for the groups that it coordinates. kafkajs' own way searches the coordinator of each group, and searches for ever while a group may not be described. */
import type { Admin, DescribedGroup } from "../ports.ts";
import { brokerAnswer } from "./broker-answer.ts";
import { clusterMetadata } from "./cluster-metadata.ts";
import type { Cluster, Coordinator } from "./patches/cluster.ts";
import {
  memberPartitions,
  memberProcess,
  memberVersion,
} from "./sticky-assignor.ts";

export async function describedGroups(
  cluster: Cluster,
  isWanted: (groupId: string) => boolean,
): ReturnType<Admin["describeGroups"]> {
  const { brokers } = await clusterMetadata(cluster, []);
  const answers = await Promise.all(
    brokers.map(async (id) => ({
      id,
      groups: await brokerAnswer(groupsOf(cluster, id, isWanted)),
    })),
  );
  return {
    groups: answers.flatMap(({ groups }) => groups ?? []),
    silent: answers.flatMap(({ id, groups }) => (groups === null ? [id] : [])),
  };
}

async function groupsOf(
  cluster: Cluster,
  brokerId: number,
  isWanted: (groupId: string) => boolean,
): Promise<DescribedGroup[]> {
  const nodeId = String(brokerId);
  // kafkajs returns the broker that sends requests, connected.
  const coordinator = (await cluster.findBroker({ nodeId })) as Coordinator;
  const { groups: listed } = await coordinator.listGroups();
  const groupIds = listed.map(({ groupId }) => groupId).filter(isWanted);
  if (groupIds.length === 0) return [];
  const { groups } = await coordinator.describeGroups({ groupIds });
  return groups.map(({ groupId, state, members }) => ({
    groupId,
    state,
    members: members.map((member) => ({
      clientId: member.clientId,
      // Java's form of an address begins with what its name would be.
      host: member.clientHost.replace(/^.*\//, ""),
      version: memberVersion(member.memberMetadata),
      pid: memberProcess(member.memberMetadata)?.pid ?? null,
      partitions: memberPartitions(member.memberAssignment),
    })),
  }));
}
