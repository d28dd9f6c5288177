/** The stages of the installation, as the groups in which they read. Pure. */
import {
  groupIdOf,
  groupsOf,
  sourceGroupId,
  topicName,
  type ReadingGroup,
} from "@postrider/messaging";
import { duration } from "@postrider/runtime";

export interface Stage {
  /** The group's id without the prefix: `route`, `recorder.attempts`. */
  readonly name: string;
  readonly service: ReadingGroup["service"];
  readonly groupId: string;
  /** Full names. */
  readonly topics: readonly string[];
  /** Its records wait for their time there. So that they are not done says nothing of the stage. */
  readonly isWaiting: boolean;
}

/** In the order of the flow. Sources that are configured are known by the groups in which they are read. */
export function stagesOf(of: {
  readonly prefix: string;
  /** Full names of the tiers' topics. */
  readonly tiers: readonly string[];
  readonly groupIds: readonly string[];
}): readonly Stage[] {
  const { prefix } = of;
  return groupsOf(of.tiers.map((topic) => ({ topic }))).flatMap(
    ({ name, service, topics }): Stage[] => {
      const isWaiting = name === "retry-scheduler";
      const stage: Stage = {
        name,
        service,
        groupId: groupIdOf(prefix, name),
        topics: isWaiting
          ? topics
          : topics.map((topic) => topicName(prefix, topic)),
        isWaiting,
      };
      return name === "route" ? [stage, ...sourcesOf(stage, of)] : [stage];
    },
  );
}

function sourcesOf(
  route: Stage,
  { prefix, groupIds }: Parameters<typeof stagesOf>[0],
): Stage[] {
  const start = sourceGroupId(prefix, "");
  return groupIds
    .filter((groupId) => groupId.startsWith(start))
    .toSorted()
    .map((groupId) => ({
      ...route,
      name: groupId.slice(prefix.length),
      groupId,
      topics: [groupId.slice(start.length)],
    }));
}

/** The topics of tiers, those that are configured no more included; the shortest first. */
export function tiersOf(prefix: string, topics: readonly string[]): string[] {
  const start = topicName(prefix, "retry.");
  const delayMs = (topic: string): number => {
    try {
      return duration(topic.slice(start.length));
    } catch {
      return Infinity; // no tier of ours
    }
  };
  return topics
    .filter((topic) => topic.startsWith(start))
    .toSorted((a, b) => delayMs(a) - delayMs(b));
}

/** Whether a process is alone in this group: each reads the schemas in a group of its own. */
export function isOfProcess(prefix: string, groupId: string): boolean {
  return groupId.startsWith(`${topicName(prefix, "schemas")}.table.`);
}

/** Whether the group is one of a stage, or shows a process. */
export function isShown(prefix: string, groupId: string): boolean {
  return (
    isOfProcess(prefix, groupId) ||
    groupId.startsWith(sourceGroupId(prefix, "")) ||
    groupsOf([]).some(({ name }) => groupIdOf(prefix, name) === groupId)
  );
}
