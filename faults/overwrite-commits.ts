/** Reads the stored commits of a group, and can store older ones in their place, as a broker that had fallen behind would leave them. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { CommittedOffset } from "@postrider/messaging";
import { commitAs } from "./commit-as.ts";
import type { World } from "./world.ts";

export async function committedBy(
  world: World,
  group: string,
  name: string,
): Promise<CommittedOffset[]> {
  return await world.admin.fetchCommitted(world.prefix + group, [
    world.topic(name),
  ]);
}

/** Overwrites all commits of one topic. The group must have no living member; the session of a killed one is waited for. */
export async function overwriteCommits(
  world: World,
  group: string,
  commits: readonly CommittedOffset[],
): Promise<void> {
  const commitOf = new Map(
    commits.map(({ partition, offset, metadata }) => [
      partition,
      { offset: offset ?? 0, metadata },
    ]),
  );
  const { topic } = commits[0]!;
  await commitAs(world.kafka, world.prefix + group, topic, ({ partition }) =>
    commitOf.get(partition)!,
  );
  // The checker must know that the runner's own commits were overwritten.
  for (const [partition, commit] of commitOf)
    appendFileSync(
      join(world.options.folder, "runner"),
      `${JSON.stringify({ kind: "committed", topic, partition, ...commit, pid: 0, at: Date.now(), monotonicMs: 0 })}\n`,
    );
}
