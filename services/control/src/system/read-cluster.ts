/** Asks Kafka for our groups and topics: what people see when they look at the system. */
import {
  topicPlan,
  type Admin,
  type CommittedOffset,
  type DescribedGroup,
  type DescribedTopic,
} from "@postrider/messaging";
import { answerWithin } from "@postrider/runtime";
import { isShown, stagesOf, tiersOf, type Stage } from "./stages.ts";

export interface ClusterState {
  readonly stages: readonly Stage[];
  readonly groups: readonly DescribedGroup[];
  /** Brokers that did not answer; of groups that one of them coordinates nothing is known. */
  readonly silent: readonly number[];
  /** Groups that control may not describe; null: of those that are not among `groups` it is not known whether they are there. */
  readonly refused: ReadonlySet<string> | null;
  readonly topics: readonly DescribedTopic[];
  /** By group id; a group whose coordinator did not answer is missing. */
  readonly committed: ReadonlyMap<string, readonly CommittedOffset[]>;
}

/** One part that takes longer is left out, ms. */
const PATIENCE_MS = 3_000;

type Asked = Pick<
  Admin,
  | "describeGroups"
  | "describeLogs"
  | "fetchCommitted"
  | "groupOperations"
  | "listTopics"
>;

/** Rejects where Kafka does not answer at all. */
export async function readCluster(
  admin: Asked,
  prefix: string,
): Promise<ClusterState> {
  const [{ groups, silent }, listed] = await Promise.all([
    admin.describeGroups((groupId) => isShown(prefix, groupId)),
    admin.listTopics(),
  ]);
  const tiers = tiersOf(prefix, listed);
  const found = new Set(groups.map(({ groupId }) => groupId));
  const stages = stagesOf({ prefix, tiers, groupIds: [...found] });
  const own = topicPlan({ prefix, tiers: [] }).map(({ topic }) => topic);
  const names = new Set([...own, ...stages.flatMap(({ topics }) => topics)]);
  const unseen = stages
    .map(({ groupId }) => groupId)
    .filter((groupId) => !found.has(groupId));
  const [topics, refused] = await Promise.all([
    admin.describeLogs([...names]),
    refusedOf(admin, unseen),
  ]);
  const readable = new Set(
    topics.flatMap(({ kind, topic }) => (kind === "described" ? [topic] : [])),
  );
  const committed = new Map<string, readonly CommittedOffset[]>();
  await Promise.all(
    stages.map(async ({ groupId, topics: read }) => {
      if (!found.has(groupId)) return;
      const offsets = await answerWithin(
        admin.fetchCommitted(
          groupId,
          read.filter((topic) => readable.has(topic)),
        ),
        PATIENCE_MS,
      );
      if (offsets !== null) committed.set(groupId, offsets);
    }),
  );
  return { stages, groups, silent, refused, topics, committed };
}

/** A group is not listed where it is not there, and where we may not describe it. */
async function refusedOf(
  admin: Asked,
  groupIds: readonly string[],
): Promise<ReadonlySet<string> | null> {
  if (groupIds.length === 0) return new Set();
  const granted = await answerWithin(
    admin.groupOperations(groupIds),
    PATIENCE_MS,
  );
  return (
    granted &&
    new Set(
      groupIds.filter(
        (groupId) => granted.get(groupId)?.has("Describe") === false,
      ),
    )
  );
}
