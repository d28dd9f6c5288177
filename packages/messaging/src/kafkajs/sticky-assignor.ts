/** The sticky assignment as a kafkajs assigner. Members write into the `userData` of their join which partitions they own, and which process of which version they are (docs/kafkajs.md, "Sticky assignment"). */
import { createRequire } from "node:module";
import type { PartitionAssigner } from "kafkajs";
import {
  processIdentity,
  VERSION,
  type ProcessIdentity,
} from "@postrider/runtime";
import { BINDING, type GroupBinding } from "./patches/group-binding.ts";
import type { TopicPartition } from "../ports.ts";
import { assignSticky, type GroupMember } from "./sticky-assignment.ts";

const load = createRequire(import.meta.url);

/** The partitions that this member was assigned last, the group's generation of that assignment (-1 if there was none), and whether the member is about to leave. */
export interface Ownership {
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
  readonly isLeaving: boolean;
}

/** The name of our assigner. A group uses one assigner, so all its members must have this one. */
const NAME = "postrider-sticky";

/** The name of the same assigner for members with an ability. Offered before the plain one: the broker takes it if all members offer it. */
export function ableName(ability: string): string {
  return `${NAME}+${ability}`;
}

/** Makes the assigner. `ownership` is called whenever the member joins. */
export function stickyAssignor(
  ownership: () => Ownership,
  binding: GroupBinding,
  name = NAME,
): PartitionAssigner {
  const { AssignerProtocol } = load("kafkajs") as typeof import("kafkajs");
  const { MemberMetadata, MemberAssignment } = AssignerProtocol;
  return ({ cluster }) => {
    const assigner = {
      name,
      version: 0,
      [BINDING]: binding,
      protocol: ({ topics }: { topics: string[] }) => ({
        name,
        metadata: MemberMetadata.encode({
          version: 0,
          topics,
          userData: encodeOwnership(ownership()),
        }),
      }),
      assign: async ({
        members,
        topics,
      }: {
        members: { memberId: string; memberMetadata: Buffer }[];
        topics: string[];
      }) => {
        const partitions = topics.flatMap((topic) =>
          cluster
            .findTopicPartitionMetadata(topic)
            .map(({ partitionId }) => ({ topic, partition: partitionId })),
        );
        const group = members.map(
          ({ memberId, memberMetadata }): GroupMember => {
            const metadata = MemberMetadata.decode(memberMetadata);
            const owned = decodeOwnership(metadata?.userData);
            return {
              memberId,
              topics: metadata?.topics ?? topics,
              owned: owned.partitions,
              generation: owned.generation,
              isLeaving: owned.isLeaving,
            };
          },
        );
        return [...assignSticky(partitions, group)].map(
          ([memberId, share]) => ({
            memberId,
            memberAssignment: MemberAssignment.encode({
              version: 0,
              assignment: byTopic(share),
              userData: Buffer.alloc(0),
            }),
          }),
        );
      },
    };
    return assigner;
  };
}

/** Encodes as JSON, so that a later version may add fields. `process` is read by members that look for ghosts (ghosts.ts), `version` by people who look at the group (described-groups.ts). */
export function encodeOwnership(ownership: Ownership): Buffer {
  const { generation, partitions, isLeaving } = ownership;
  return Buffer.from(
    JSON.stringify({
      generation,
      owned: byTopic(partitions),
      isLeaving,
      process: processIdentity(),
      version: VERSION,
    }),
  );
}

/** The process of a member, from the metadata that the group keeps of it; null if that names no process. Never throws. */
export function memberProcess(memberMetadata: Buffer): ProcessIdentity | null {
  const { process } = userDataOf(memberMetadata);
  if (typeof process !== "object" || process === null) return null;
  const { where, pid, startTicks } = process as Partial<ProcessIdentity>;
  return typeof where === "string" &&
    typeof pid === "number" &&
    typeof startTicks === "string"
    ? { where, pid, startTicks }
    : null;
}

/** The version that a member runs, from the same metadata; null of a member of an earlier version, which does not tell it. Never throws. */
export function memberVersion(memberMetadata: Buffer): string | null {
  const { version } = userDataOf(memberMetadata);
  return typeof version === "string" ? version : null;
}

/** The partitions that a member was assigned, from what the group keeps of it; none if that cannot be read. Never throws. */
export function memberPartitions(memberAssignment: Buffer): TopicPartition[] {
  const { AssignerProtocol } = load("kafkajs") as typeof import("kafkajs");
  try {
    const decoded = AssignerProtocol.MemberAssignment.decode(memberAssignment);
    return Object.entries(decoded?.assignment ?? {}).flatMap(([topic, list]) =>
      list.map((partition) => ({ topic, partition })),
    );
  } catch {
    return [];
  }
}

/** The fields of our user data; none where it is not ours. */
function userDataOf(memberMetadata: Buffer): Readonly<Record<string, unknown>> {
  const { AssignerProtocol } = load("kafkajs") as typeof import("kafkajs");
  try {
    const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
    const fields: unknown = JSON.parse(String(metadata?.userData));
    return typeof fields === "object" && fields !== null ? { ...fields } : {};
  } catch {
    return {};
  }
}

/** Decodes what a member owns; nothing if `userData` cannot be read. Its partitions may then move, but no record is lost. Never throws. */
export function decodeOwnership(userData: Buffer | undefined): Ownership {
  const nothing = { generation: -1, partitions: [], isLeaving: false };
  if (userData === undefined || userData.length === 0) return nothing;
  try {
    const { generation, owned, isLeaving } = JSON.parse(
      userData.toString(),
    ) as {
      generation: unknown;
      owned: Record<string, unknown>;
      /** Not there: a member of an earlier version. */
      isLeaving?: unknown;
    };
    if (typeof generation !== "number") return nothing;
    const partitions = Object.entries(owned).flatMap(([topic, list]) =>
      (Array.isArray(list) ? list : [])
        .filter((partition) => Number.isSafeInteger(partition))
        .map((partition: number) => ({ topic, partition })),
    );
    return { generation, partitions, isLeaving: isLeaving === true };
  } catch {
    return nothing;
  }
}

function byTopic(
  partitions: readonly TopicPartition[],
): Record<string, number[]> {
  const grouped: Record<string, number[]> = {};
  for (const { topic, partition } of partitions)
    (grouped[topic] ??= []).push(partition);
  return grouped;
}
