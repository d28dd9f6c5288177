import { DEAD_LETTER_REASONS } from "@postrider/core";
import { z } from "zod";
import { exact, PAGED, part, someOf, type Window } from "./list-parameters.ts";
import {
  asIs,
  fixed,
  hasText,
  isOneOf,
  isText,
  textOrNull,
  time,
  type Condition,
  type List,
} from "./list.ts";

/** What was given up or parked. `log…` is where the dead letter itself is, with the delivery or the raw bytes; `record…` the record that ended here. */
export const DEAD_LETTERS = {
  name: "deadLetters",
  table: "dead_letters",
  time: "dead_at",
  orderedBy: [
    { column: "delivery_id", type: "String" },
    { column: "reason", type: "String" },
    { column: "record_topic", type: "String" },
    { column: "record_partition", type: "Int64" },
    { column: "record_offset", type: "Int64" },
  ],
  shown: {
    deadAt: time("dead_at"),
    reason: asIs("reason"),
    detail: textOrNull("detail"),
    tenantId: textOrNull("tenant_id"),
    endpointId: textOrNull("endpoint_id"),
    deliveryId: textOrNull("delivery_id"),
    eventId: textOrNull("event_id"),
    eventType: textOrNull("event_type"),
    receivedAt: time("received_at"),
    stage: asIs("stage"),
    field: textOrNull("field"),
    rule: textOrNull("rule"),
    attempts: asIs("attempts"),
    lastOutcome: textOrNull("last_outcome"),
    lastStatusCode: asIs("last_status_code"),
    recordTopic: asIs("record_topic"),
    recordPartition: asIs("record_partition"),
    recordOffset: asIs("record_offset"),
    logTopic: asIs("log_topic"),
    logPartition: asIs("log_partition"),
    logOffset: asIs("log_offset"),
  },
} as const satisfies List;

export const deadLetterQuery = z.strictObject({
  ...PAGED,
  reason: someOf(DEAD_LETTER_REASONS).optional(),
  endpointId: exact.optional(),
  deliveryId: exact.optional(),
  eventId: exact.optional(),
  eventType: exact.optional(),
  text: part.optional(),
});

type DeadLetterAsked = Omit<z.output<typeof deadLetterQuery>, keyof Window>;

/** As of attempts, nothing of a row that is there twice can differ. */
export function deadLetterConditions(
  asked: DeadLetterAsked,
): readonly Condition[] {
  return fixed([
    ...isText("tenant_id", "tenantId", asked.tenantId),
    ...isOneOf("reason", "reason", asked.reason),
    ...isText("endpoint_id", "endpointId", asked.endpointId),
    ...isText("delivery_id", "deliveryId", asked.deliveryId),
    ...isText("event_id", "eventId", asked.eventId),
    ...isText("event_type", "eventType", asked.eventType),
    ...hasText(["r.detail", "r.field", "r.rule"], asked.text),
  ]);
}
