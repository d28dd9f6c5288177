/**
 * A *ghost* is a member whose process was killed: the group keeps its partitions for it until its session times out. A process
 * that starts on the same machine first removes the ghosts of this machine from the group, so that it need not wait for them
 * (docs/kafkajs.md, "Ghosts").
 */
import { isCertainlyDead, type Log } from "@postrider/runtime";
import type { Cluster } from "./patches/cluster.ts";
import { memberProcess } from "./sticky-assignor.ts";

/** Removes the ghosts. Never rejects: a ghost that stays only costs a wait. Finds none while the group rebalances, because a coordinator gives the members' metadata only while the group is stable. */
export async function removeGhosts(
  cluster: Pick<Cluster, "findGroupCoordinator">,
  groupId: string,
  log: Log,
): Promise<void> {
  try {
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    const { groups } = await coordinator.describeGroups({
      groupIds: [groupId],
    });
    const members = groups.flatMap((group) => group.members);
    for (const { memberId, memberMetadata } of members) {
      const process = memberProcess(memberMetadata);
      if (process === null || !isCertainlyDead(process)) continue;
      await coordinator.leaveGroup({ groupId, memberId });
      log.info("consumer.ghostRemoved", { groupId, memberId, ...process });
    }
  } catch (error) {
    log.debug("consumer.ghostsNotRemoved", { groupId, error: String(error) });
  }
}
