/**
 * A *ghost* is a member whose process was killed: the group keeps its partitions for it until its session times out. When a
 * process starts again on the same machine, it takes the ghosts of this machine out of the group first, and so need not wait
 * for them (docs/kafkajs.md, "Ghosts").
 */
import { isCertainlyDead, type Log } from "@postrider/runtime";
import type { Cluster } from "./patches/cluster.ts";
import { memberProcess } from "./sticky-assignor.ts";

/** Never rejects: a ghost that stays costs a wait, nothing else. The group tells its members' processes only while it is stable. */
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
