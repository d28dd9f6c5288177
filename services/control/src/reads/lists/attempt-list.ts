import { OUTCOMES, TRIGGERS } from "@postrider/core";
import { z } from "zod";
import {
  exact,
  PAGED,
  part,
  someOf,
  statusCodes,
  typeOrPattern,
  type Window,
} from "../../http/list-parameters.ts";
import {
  asIs,
  fixed,
  hasText,
  isOneOf,
  isStatus,
  isText,
  isType,
  rare,
  textOrNull,
  time,
  type Condition,
  type List,
} from "./list.ts";

/** The requests that were made, by when they began; without deferrals, which are no requests. */
export const ATTEMPTS = {
  name: "attempts",
  table: "attempts",
  time: "started_at",
  orderedBy: [
    { column: "delivery_id", type: "String" },
    { column: "attempt_number", type: "Int64" },
    { column: "step", type: "Int64" },
  ],
  key: [
    "tenant_id",
    "endpoint_id",
    "started_at",
    "delivery_id",
    "attempt_number",
    "step",
  ],
  fewOf: ["tenantId", "endpointId"],
  shown: {
    deliveryId: asIs("delivery_id"),
    attemptNumber: asIs("attempt_number", z.int()),
    tenantId: asIs("tenant_id"),
    endpointId: asIs("endpoint_id"),
    eventId: asIs("event_id"),
    eventType: asIs("event_type"),
    trigger: asIs("trigger"),
    startedAt: time("started_at"),
    outcome: asIs("outcome"),
    statusCode: asIs("status_code", z.int().nullable()),
    durationMs: asIs("duration_ms", z.int()),
    queueMs: asIs("queue_ms", z.int()),
    errorCode: textOrNull("error_code"),
    error: textOrNull("error"),
    status: asIs("status"),
    tier: textOrNull("tier"),
    nextAttemptAt: time("next_attempt_at"),
    deadLetterReason: textOrNull("dead_letter_reason"),
    replayId: textOrNull("replay_id"),
  },
} as const satisfies List;

export const attemptQuery = z.strictObject({
  ...PAGED,
  endpointId: exact.optional(),
  deliveryId: exact.optional(),
  eventId: exact.optional(),
  eventType: typeOrPattern.optional(),
  outcome: someOf(OUTCOMES).optional(),
  statusCode: statusCodes.optional(),
  trigger: someOf(TRIGGERS).optional(),
  replayId: exact.optional(),
  text: part.optional(),
});

type AttemptAsked = Omit<z.output<typeof attemptQuery>, keyof Window>;

/** A record that is inserted twice is the same row twice: nothing of it can differ. */
export function attemptConditions(asked: AttemptAsked): readonly Condition[] {
  return fixed([
    { sql: "r.attempt_number > 0", values: {} },
    ...isText("tenant_id", "tenantId", asked.tenantId),
    ...isText("endpoint_id", "endpointId", asked.endpointId),
    ...rare(isText("delivery_id", "deliveryId", asked.deliveryId)),
    ...rare(isText("event_id", "eventId", asked.eventId)),
    ...isType(asked.eventType),
    ...isText("replay_id", "replayId", asked.replayId),
    ...isOneOf("outcome", "outcome", asked.outcome),
    ...isStatus("status_code", asked.statusCode),
    ...isOneOf("trigger", "trigger", asked.trigger),
    ...hasText(["r.error", "r.error_code", "r.response_body"], asked.text),
  ]);
}
