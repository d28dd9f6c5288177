import { DEAD_LETTER_REASONS, OUTCOMES, STATUSES } from "@postrider/core";
import { z } from "zod";
import {
  exact,
  PAGED,
  part,
  someOf,
  statusCodes,
  typeOrPattern,
  wholeNumber,
  type Window,
} from "../../http/list-parameters.ts";
import {
  asIs,
  fixed,
  isOneOf,
  isStatus,
  isText,
  isType,
  rare,
  textOrNull,
  time,
  timeOf,
  type Condition,
  type List,
} from "./list.ts";

/** Deliveries as they stand, by when their events came in. */
export const DELIVERIES = {
  name: "deliveries",
  table: "deliveries",
  time: "received_at",
  orderedBy: [{ column: "delivery_id", type: "String" }],
  key: ["tenant_id", "received_at", "delivery_id"],
  shown: {
    id: asIs("delivery_id"),
    tenantId: asIs("tenant_id"),
    endpointId: asIs("endpoint_id"),
    eventId: asIs("event_id"),
    eventType: asIs("event_type"),
    status: asIs("status"),
    attempts: asIs("attempts", z.int()),
    outcome: textOrNull("outcome"),
    statusCode: asIs("status_code", z.int().nullable()),
    errorCode: textOrNull("error_code"),
    durationMs: asIs("duration_ms", z.int()),
    receivedAt: time("received_at"),
    changedAt: time("changed_at"),
    nextAttemptAt: time("next_attempt_at"),
    deferralReason: textOrNull("deferral_reason"),
    deadLetterReason: textOrNull("dead_letter_reason"),
    replayId: textOrNull("replay_id"),
  },
} as const satisfies List;

/** The largest number of the column. */
const MAX_COUNT = 2_147_483_647;

export const deliveryQuery = z.strictObject({
  ...PAGED,
  status: someOf(STATUSES).optional(),
  endpointId: exact.optional(),
  eventId: exact.optional(),
  eventType: typeOrPattern.optional(),
  minAttempts: wholeNumber(0, MAX_COUNT).optional(),
  maxAttempts: wholeNumber(0, MAX_COUNT).optional(),
  statusCode: statusCodes.optional(),
  outcome: someOf(OUTCOMES).optional(),
  deferralReason: exact.optional(),
  deadLetterReason: someOf(DEAD_LETTER_REASONS).optional(),
  replayId: exact.optional(),
  text: part
    .meta({
      description:
        "A part of the error, whatever its case, or the whole id of the event",
    })
    .optional(),
});

type DeliveryAsked = Omit<z.output<typeof deliveryQuery>, keyof Window>;

/**
 * The id is made of tenant, event and endpoint, so only these are the same in every row of a delivery. The event's type is not: an id that
 * was published to two partitions in the same millisecond may have two, and a row of the beginning would show once the other is delivered.
 */
export function deliveryConditions(asked: DeliveryAsked): readonly Condition[] {
  return [
    ...fixed([
      ...isText("tenant_id", "tenantId", asked.tenantId),
      ...isText("endpoint_id", "endpointId", asked.endpointId),
      ...rare(isText("event_id", "eventId", asked.eventId)),
    ]),
    ...isType(asked.eventType),
    ...isText("replay_id", "replayId", asked.replayId),
    ...isOneOf("status", "status", asked.status),
    ...hasAttempts(asked),
    ...isStatus("status_code", asked.statusCode),
    ...isOneOf("outcome", "outcome", asked.outcome),
    ...isText("deferral_reason", "deferralReason", asked.deferralReason),
    ...isOneOf(
      "dead_letter_reason",
      "deadLetterReason",
      asked.deadLetterReason,
    ),
    ...hasSearchText(asked),
  ];
}

/** Requests that were made; deferrals are none. */
function hasAttempts(asked: DeliveryAsked): readonly Condition[] {
  const { minAttempts, maxAttempts } = asked;
  return [
    ...(minAttempts === undefined
      ? []
      : [
          {
            sql: "r.attempts >= {minAttempts:Int32}",
            values: { minAttempts },
          },
        ]),
    ...(maxAttempts === undefined
      ? []
      : [
          {
            sql: "r.attempts <= {maxAttempts:Int32}",
            values: { maxAttempts },
          },
        ]),
  ];
}

/** The event's id, or a part of an error. The row has an error's code alone: the words are in the rows of its attempts, which begin after the event came in. A day is left for clocks that differ. */
function hasSearchText({
  text,
  tenantId,
  endpointId,
}: DeliveryAsked): readonly Condition[] {
  if (text === undefined) return [];
  const conditions = [
    `a.started_at >= ${timeOf("from")} - INTERVAL 1 DAY`,
    ...(tenantId === undefined ? [] : ["a.tenant_id = {tenantId:String}"]),
    ...(endpointId === undefined
      ? []
      : ["a.endpoint_id = {endpointId:String}"]),
    "positionCaseInsensitiveUTF8(a.error, {text:String}) > 0",
  ];
  return [
    {
      sql: `(r.event_id = {text:String} OR positionCaseInsensitiveUTF8(r.error_code, {text:String}) > 0 OR r.delivery_id IN (
    SELECT a.delivery_id FROM attempts AS a WHERE ${conditions.join(" AND ")}
  ))`,
      values: { text },
    },
  ];
}
