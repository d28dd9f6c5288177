import { DEAD_LETTER_REASONS } from "@postrider/core";
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
  timeOf,
  type Condition,
  type List,
  type Shown,
} from "./list.ts";

/** Whose dead letters are asked for, and of which event or delivery, where that is said. */
type Owner = Pick<
  DeadLetterAsked,
  "tenantId" | "endpointId" | "eventId" | "deliveryId"
>;

/**
 * Whether the event reached the endpoint since, by a redrive or a resume. Of `deliveries` only those are read that the window's dead letters
 * may be about, and of both tables only what belongs to `owner`. Without FINAL: no version of a delivery wins over the one that says that it
 * was delivered.
 */
function isDeliveredSql(owner: Owner): string {
  const inWindow = [
    `l.dead_at >= ${timeOf("from")} AND l.dead_at <= ${timeOf("upTo")}`,
    ...ownedBy(owner, "l"),
    ...(owner.deliveryId === undefined
      ? []
      : ["l.delivery_id = {deliveryId:String}"]),
  ].join(" AND ");
  const delivered = [
    `d.status = 'delivered' AND d.received_at <= ${timeOf("upTo")} + INTERVAL 1 DAY`,
    `d.received_at >= (SELECT min(l.received_at) FROM dead_letters AS l WHERE ${inWindow})`,
    ...(owner.tenantId === undefined
      ? [
          `d.tenant_id IN (SELECT l.tenant_id FROM dead_letters AS l WHERE ${inWindow})`,
        ]
      : []),
    `d.event_id IN (SELECT l.event_id FROM dead_letters AS l WHERE ${inWindow})`,
    ...ownedBy(owner, "d"),
  ].join("\n      AND ");
  return `(r.tenant_id, r.event_id, r.endpoint_id, ifNull(r.received_at, ${timeOf("from")})) IN (
    SELECT d.tenant_id, d.event_id, d.endpoint_id, d.received_at FROM deliveries AS d
    WHERE ${delivered}
  )`;
}

/** Their values are those of the list's own conditions. */
function ownedBy(
  { tenantId, endpointId, eventId }: Owner,
  table: string,
): string[] {
  return [
    ...(tenantId === undefined
      ? []
      : [`${table}.tenant_id = {tenantId:String}`]),
    ...(endpointId === undefined
      ? []
      : [`${table}.endpoint_id = {endpointId:String}`]),
    ...(eventId === undefined ? [] : [`${table}.event_id = {eventId:String}`]),
  ];
}

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
  key: [
    "tenant_id",
    "endpoint_id",
    "dead_at",
    "delivery_id",
    "reason",
    "record_topic",
    "record_partition",
    "record_offset",
  ],
  fewOf: ["tenantId"],
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
    replayId: textOrNull("replay_id"),
    isDelivered: isDelivered({}),
    stage: asIs("stage"),
    field: textOrNull("field"),
    rule: textOrNull("rule"),
    attempts: asIs("attempts", z.int()),
    lastOutcome: textOrNull("last_outcome"),
    lastStatusCode: asIs("last_status_code", z.int().nullable()),
    recordTopic: asIs("record_topic"),
    recordPartition: asIs("record_partition", z.int()),
    recordOffset: asIs("record_offset", z.int()),
    logTopic: asIs("log_topic"),
    logPartition: asIs("log_partition", z.int()),
    logOffset: asIs("log_offset", z.int()),
  },
} as const satisfies List;

/** The same list for what is asked: whether an event was delivered since is looked for among the owner's rows alone, and among those of the event. */
export function deadLettersOf(asked: Owner): List {
  const shown = { ...DEAD_LETTERS.shown, isDelivered: isDelivered(asked) };
  return { ...DEAD_LETTERS, shown };
}

function isDelivered(owner: Owner): Shown {
  return {
    sql: isDeliveredSql(owner),
    of: (value) => value === 1,
    schema: z.boolean().meta({
      description:
        "Whether the event reached the endpoint since, by a redrive or a resume",
    }),
  };
}

export const deadLetterQuery = z.strictObject({
  ...PAGED,
  reason: someOf(DEAD_LETTER_REASONS).optional(),
  endpointId: exact.optional(),
  deliveryId: exact.optional(),
  eventId: exact.optional(),
  eventType: typeOrPattern.optional(),
  statusCode: statusCodes.optional(),
  replayId: exact.optional(),
  open: z.enum(["true", "false"]).optional(),
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
    ...rare(isText("delivery_id", "deliveryId", asked.deliveryId)),
    ...rare(isText("event_id", "eventId", asked.eventId)),
    ...isType(asked.eventType),
    ...isStatus("last_status_code", asked.statusCode),
    ...isText("replay_id", "replayId", asked.replayId),
    ...isOpen(asked),
    ...hasText(["r.detail", "r.field", "r.rule"], asked.text),
  ]);
}

/** What nobody has delivered since, or the rest. */
function isOpen({ open, ...owner }: DeadLetterAsked): readonly Condition[] {
  if (open === undefined) return [];
  const sql = isDeliveredSql(owner);
  return [{ sql: open === "true" ? `NOT ${sql}` : sql, values: {} }];
}
