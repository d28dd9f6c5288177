/** Whether the recorder has done with every attempt that was in the topic at a moment: recorded, and no insert of them in doubt. */
import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "@postrider/core";
import {
  decodeIntent,
  groupIdOf,
  topicName,
  type Admin,
  type CommittedOffset,
  type LogRange,
} from "@postrider/messaging";
import { CliError, EXIT } from "../cli-error.ts";

const WITHIN_MS = 60_000;
const POLL_MS = 500;

/**
 * Reads where the topic ends now, and waits until the recorder is beyond that. Under load it is so within seconds: what comes after that
 * moment does not count. Throws `CliError` if it is not so within a minute.
 */
export async function recorderSettled(
  admin: Pick<Admin, "fetchLogRanges" | "fetchCommitted">,
  prefix: string,
  withinMs: number = WITHIN_MS,
): Promise<void> {
  const topics = [topicName(prefix, "attempts")];
  const ranges = await admin.fetchLogRanges(topics);
  const until = performance.now() + withinMs;
  for (;;) {
    const committed = await admin.fetchCommitted(
      groupIdOf(prefix, "recorder.attempts"),
      topics,
    );
    const why = whyNotSettled(ranges, committed);
    if (why === null) return;
    if (performance.now() > until)
      throw new CliError(
        EXIT.refused,
        "Nothing was repaired: the recorder has not done with what is in the topic.",
        {
          why: `${why}. What it still inserts, or inserts again, would be counted twice.`,
          next: "Is the recorder running? docs/operations.md, PostriderRecordingBehind. Then run this again.",
        },
      );
    await sleep(POLL_MS);
  }
}

/** Null if every record of the ranges is recorded for good. The metadata of a commit announces the insert that follows; whoever gets the partition next repeats it (docs/adr/0024). */
export function whyNotSettled(
  ranges: readonly LogRange[],
  committed: readonly CommittedOffset[],
): string | null {
  const endOf = new Map(ranges.map(({ partition, end }) => [partition, end]));
  const doneTo = new Map(
    committed.map(({ partition, offset }) => [partition, offset]),
  );
  for (const { topic, partition, start, end } of ranges) {
    const done = Math.max(doneTo.get(partition) ?? 0, start);
    if (done < end)
      return `it has still to record ${counted(end - done, "record")} of ${topic}, partition ${partition}`;
  }
  for (const { topic, partition, metadata } of committed) {
    const stored = decodeIntent(metadata, partition);
    if (stored.kind === "unreadable")
      return `what its group has stored for ${topic}, partition ${partition}, cannot be read, so an insert may be in doubt`;
    if (stored.kind === "none") continue;
    const open = stored.intent.ranges.find(
      (range) => range.first < (endOf.get(range.partition) ?? Infinity),
    );
    if (open !== undefined)
      return `it has announced an insert of ${topic}, partition ${open.partition}, offsets ${open.first} to ${open.last}, and not said that it is done`;
  }
  return null;
}
