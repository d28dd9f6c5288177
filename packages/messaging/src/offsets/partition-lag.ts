/** How far a group is behind in one partition, from outside: by the log, and by what the group has committed. Pure. */
import { decodeOffsetMetadata } from "./offset-metadata.ts";
import type { CommittedOffset, LogRange } from "../ports.ts";

export interface PartitionLag {
  /** From the committed offset to the log's end. One record that takes long keeps the commit back, so this may count many that are done. */
  readonly behind: number;
  /** Of these, what the group had not done at its last commit, as the commit's metadata says. The same as `behind` where the metadata says nothing. */
  readonly unfinished: number;
}

/** `committed` is undefined, or without an offset, where the group has committed nothing. Markers of transactions count as records. */
export function partitionLag(
  { start, end }: Pick<LogRange, "start" | "end">,
  committed: Pick<CommittedOffset, "offset" | "metadata"> | undefined,
): PartitionLag {
  const offset = committed?.offset ?? null;
  const behind = Math.max(0, end - Math.max(offset ?? 0, start));
  const said =
    offset === null ? null : decodeOffsetMetadata(committed!.metadata, offset);
  if (said === null) return { behind, unfinished: behind };
  // What is before the log's start is gone, and what is beyond its end was written to another log.
  const within = (from: number, to: number): number =>
    Math.max(0, Math.min(to, end) - Math.max(from, start));
  let unfinished = within(said.next, end);
  for (let i = 0; i < said.runs.length; i += 2) {
    const from = said.runs[i]!; // starts and lengths alternate
    unfinished += within(from, from + said.runs[i + 1]!);
  }
  return { behind, unfinished };
}
