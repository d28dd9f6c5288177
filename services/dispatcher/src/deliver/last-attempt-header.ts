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

/** The records of an attempt, each delivery among them with the header; none if the attempt's span is not kept. */
export function withLastAttempt(
  records: readonly OutRecord[],
  traceparent: string | null,
): readonly OutRecord[] {
  return traceparent === null
    ? records
    : withHeader(records, Buffer.from(traceparent));
}

/** The records of a deferral, each delivery among them with the header as the delivery came with it. */
export function passLastAttemptOn(
  records: readonly OutRecord[],
  headers: RecordHeaders,
): readonly OutRecord[] {
  const value = headers[NAME];
  return value === undefined ? records : withHeader(records, value);
}

function withHeader(
  records: readonly OutRecord[],
  value: NonNullable<RecordHeaders[string]>,
): readonly OutRecord[] {
  return records.map((record) =>
    record.topic === "deliveries" || record.topic.startsWith("retry.")
      ? { ...record, headers: { ...record.headers, [NAME]: value } }
      : record,
  );
}
