/**
 * The Kafka header that names the span of a delivery's last attempt, as a traceparent. The span of the next attempt links to it. hold
 * passes headers on, and a deferral does, too. Nothing is decided by this header.
 */
import type { OutRecord, RecordHeaders } from "@postrider/messaging";

const NAME = "postrider-last-attempt";

/** The traceparent of the span of the last attempt; none before the first, or where that span was not kept. */
export function lastAttemptOf(headers: RecordHeaders): string | null {
  return headers[NAME]?.toString() ?? null;
}

/** The records, each delivery among them with the header. */
export function withLastAttempt(
  records: readonly OutRecord[],
  traceparent: string | null,
): readonly OutRecord[] {
  if (traceparent === null) return records;
  const value = Buffer.from(traceparent);
  return records.map((record) =>
    record.topic === "deliveries" || record.topic.startsWith("retry.")
      ? { ...record, headers: { ...record.headers, [NAME]: value } }
      : record,
  );
}
