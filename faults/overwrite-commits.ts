/** What a group has stored, and another value in its place, as a broker would leave it that fell behind. */
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

/** All of one topic. The group has no member that lives; one that was killed is waited for until its session ends. */
export async function overwriteCommits(
  world: World,
  group: string,
  commits: readonly CommittedOffset[],
): Promise<void> {
  const wordOf = new Map(
    commits.map(({ partition, offset, metadata }) => [
      partition,
      { offset: offset ?? 0, metadata },
    ]),
  );
  const { topic } = commits[0]!;
  await commitAs(world.kafka, world.prefix + group, topic, ({ partition }) =>
    wordOf.get(partition)!,
  );
  // The judge must know that the runner's own word was overwritten.
  for (const [partition, word] of wordOf)
    appendFileSync(
      join(world.options.folder, "runner"),
      `${JSON.stringify({ kind: "committed", topic, partition, ...word, pid: 0, at: Date.now(), monotonicMs: 0 })}\n`,
    );
}
