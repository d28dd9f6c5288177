/** What spans say of Kafka records, by OpenTelemetry's conventions for messaging. */
import type { SpanAttributes } from "@postrider/runtime";
import type { RawRecord } from "./record.ts";

/** Of a span `process TOPIC`, in which a stage handles a record. */
export function processAttributes(
  { topic, partition, offset }: RawRecord,
  groupId: string,
): SpanAttributes {
  return {
    "messaging.system": "kafka",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.destination.name": topic,
    "messaging.destination.partition.id": String(partition),
    "messaging.kafka.offset": offset,
    "messaging.consumer.group.name": groupId,
  };
}

/** Of a span `send TOPIC`. The record's partition and offset are not known yet. */
export function sendAttributes(topic: string): SpanAttributes {
  return {
    "messaging.system": "kafka",
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "messaging.destination.name": topic,
  };
}
