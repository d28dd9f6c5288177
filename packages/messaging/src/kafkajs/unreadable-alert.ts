/** Alerts the operator to records that could not be read: one log line for each reason in a batch, and a count. */
import type { Log, Meter } from "@postrider/runtime";
import {
  lastOffsetOf,
  type RawRecord,
  type Unreadable,
  type UnreadableReason,
} from "../record.ts";

const WHAT_TO_DO: Readonly<Record<UnreadableReason, string>> = {
  checksum:
    "The log of the broker that leads the partition is damaged: look at its disk, and let a replica that is whole lead.",
  framing:
    "Find the producer that wrote it, or the damage in the broker's log; the bytes stay in the topic until its retention.",
  unknown_codec: "Have the producer compress with gzip, snappy, lz4 or zstd.",
  compression:
    "Find the producer that wrote it, or the damage in the broker's log; the bytes stay in the topic until its retention.",
  too_large_inflated: "Have the producer write smaller batches.",
  too_many_records: "Have the producer write smaller batches.",
  too_many_headers: "Have the producer set fewer headers.",
};

export function createUnreadableAlert(
  groupId: string,
  { log, meter }: { readonly log: Log; readonly meter: Meter },
): (records: readonly RawRecord[]) => void {
  const counter = meter.counter(
    "postrider_unreadable_total",
    "Batches and records that a consumer passed over because they could not be read, each time they were fetched",
    ["topic", "reason"],
  );

  return (records) => {
    for (const [reason, group] of byReason(records)) {
      const first = group[0]!;
      const { topic, partition, offset } = first;
      counter.inc({ topic, reason }, group.length);
      log.error("batch.unreadable", {
        groupId,
        topic,
        partition,
        firstOffset: offset,
        lastOffset: lastOffsetOf(group.at(-1)!),
        count: group.length,
        reason,
        detail: first.unreadable!.detail,
        todo: WHAT_TO_DO[reason],
      });
    }
  };
}

function byReason(
  records: readonly RawRecord[],
): Map<Unreadable["reason"], RawRecord[]> {
  const groups = new Map<Unreadable["reason"], RawRecord[]>();
  for (const record of records) {
    const { reason } = record.unreadable!;
    const group = groups.get(reason);
    if (group === undefined) groups.set(reason, [record]);
    else group.push(record);
  }
  return groups;
}
