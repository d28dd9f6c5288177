/** `GET /v1/events/{id}/explain`: facts and closed lists of words, no sentences. The command line makes sentences of them. */
import { DECISIONS, STATUSES } from "@postrider/core";
import { z } from "zod";
import { ENDPOINT_STATES } from "../../endpoints/endpoint-view.ts";
import { listOf, oneOf, shownTime } from "../../http/shown.ts";
import { attemptView } from "../event-view.ts";

export const VERDICTS = [
  "delivered",
  "partly_delivered",
  "under_way",
  "parked",
  "given_up",
  "nobody",
  "turned_away",
  "duplicate",
] as const;
export type ExplainVerdict = (typeof VERDICTS)[number];

/** What a delivery that has no end yet waits for. */
export const WAITS = ["first_attempt", "retry", "deferral", "resume"] as const;
export type WaitsFor = (typeof WAITS)[number];

/** Why an endpoint of the tenant was not named when the event was routed. */
export const NOT_NAMED_REASONS = [
  "event_types",
  "created_later",
  "changed_later",
  "not_read_yet",
] as const;
export type NotNamedReason = (typeof NOT_NAMED_REASONS)[number];

export const NEXT_ACTIONS = [
  "resume_endpoint",
  "enable_endpoint",
  "fix_url",
  "redrive_delivery",
  "test_endpoint",
  "backfill_endpoint",
  "try_filter",
  "change_event_types",
  "create_endpoint",
  "publish_again",
  "look_at_services",
] as const;
export type NextAction = (typeof NEXT_ACTIONS)[number];

const place = z.strictObject({
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
});

const source = place.extend({
  kind: z.enum(["events", "configured_source"]).meta({
    description:
      "`events`: the common topic, which the door, your own producers and, for operational events, control write",
  }),
});

/** An endpoint as it is now. */
const endpointNow = z.strictObject({
  id: z.string(),
  state: oneOf([...ENDPOINT_STATES, "inline", "deleted"]).meta({
    description:
      "Now. `inline`: the event named its URL itself. `deleted`: no endpoint has this id any more",
  }),
  stateReason: z.string().nullable(),
  externalId: z.string().nullable(),
  description: z.string(),
  url: z.string().nullable(),
  eventTypes: listOf(z.string()),
  filter: z.string().nullable().meta({
    description: "Now. It is not asked again about this event",
  }),
  rateLimit: z
    .strictObject({ perSecond: z.number(), burst: z.int() })
    .nullable(),
});
export type EndpointNow = z.infer<typeof endpointNow>;

const endpointGroup = z.strictObject({
  count: z.int(),
  endpoints: listOf(endpointNow).meta({ description: "The first of them" }),
});
export type EndpointGroup = z.infer<typeof endpointGroup>;

const nextStep = z.strictObject({
  action: oneOf(NEXT_ACTIONS),
  endpointId: z.string().nullable(),
  deliveryId: z.string().nullable(),
});
export type NextStep = z.infer<typeof nextStep>;

const arrival = z.strictObject({
  receivedAt: shownTime,
  decidedAt: shownTime,
  occurredAt: shownTime.nullable(),
  decision: oneOf(DECISIONS),
  reason: z.string().nullable(),
  field: z.string().nullable(),
  rule: z.string().nullable(),
  payloadBytes: z.int(),
  source,
});
export type ArrivalView = z.infer<typeof arrival>;

const explainedDelivery = z.strictObject({
  id: z.string(),
  endpoint: endpointNow,
  status: oneOf(STATUSES),
  replayId: z.string().nullable(),
  isSentAgain: z.boolean().meta({
    description:
      "Another delivery of the event to this endpoint is open or delivered, so this one no longer matters",
  }),
  attempts: z.int(),
  outcomes: listOf(
    z.strictObject({
      outcome: z.string(),
      statusCode: z.int().nullable(),
      count: z.int(),
    }),
  ).meta({ description: "What the attempts showed, the most frequent first" }),
  lastAttempt: attemptView.nullable(),
  waitsFor: oneOf(WAITS).nullable().meta({
    description: "Null where nothing follows by itself. `resume`: it is parked",
  }),
  deferralReason: z.string().nullable(),
  tier: z.string().nullable().meta({
    description: "The first tier in which it waits",
  }),
  nextAttemptAt: shownTime.nullable(),
  isOverdue: z.boolean().meta({
    description:
      "What was to follow has not been recorded for a minute after it was due. Never of a deferral that others may follow, of which only the first is recorded",
  }),
  breaker: z
    .strictObject({ openedAt: shownTime, detail: z.string() })
    .nullable()
    .meta({
      description:
        "Set where the endpoint's breaker opened and no closing is recorded",
    }),
  deadLetter: z
    .strictObject({
      reason: z.string(),
      detail: z.string().nullable(),
      deadAt: shownTime.nullable(),
      place: place.nullable(),
    })
    .nullable()
    .meta({ description: "Why it was given up or, with `paused`, parked" }),
  next: listOf(nextStep),
});
export type ExplainedDelivery = z.infer<typeof explainedDelivery>;

const notNamed = z.strictObject({
  countThen: z.int().meta({
    description: "Endpoints that did not want the type when it was routed",
  }),
  byReason: z.strictObject(
    Object.fromEntries(
      NOT_NAMED_REASONS.map((reason) => [reason, z.int()]),
    ) as Record<NotNamedReason, z.ZodInt>, // a field for each of the list
  ),
  endpoints: listOf(
    endpointNow.extend({
      reason: oneOf(NOT_NAMED_REASONS),
      wantsItNow: z.boolean(),
      createdAt: shownTime,
      updatedAt: shownTime,
    }),
  ).meta({ description: "The first of them, those that want it now first" }),
});
export type NotNamed = z.infer<typeof notNamed>;

export const explanation = z
  .strictObject({
    id: z.string(),
    type: z.string(),
    tenantId: z.string().nullable(),
    verdict: oneOf(VERDICTS),
    arrival: arrival.nullable().meta({
      description:
        "The arrival that counts. Null where none is recorded, as of a test event",
    }),
    arrivals: z.strictObject({
      count: z.int(),
      others: listOf(arrival).meta({
        description: "The first of the others, such as duplicates",
      }),
    }),
    deadLetter: z
      .strictObject({ reason: z.string(), detail: z.string(), place })
      .nullable()
      .meta({
        description: "Of the event's own record, where it was invalid",
      }),
    sent: z
      .strictObject({
        endpoints: z.int(),
        deliveries: z.int(),
        delivered: z.int(),
        waiting: z.int(),
        parked: z.int(),
        givenUp: z.int(),
      })
      .meta({
        description:
          "Endpoints, each once, by how far the event has come with it",
      }),
    deliveries: listOf(explainedDelivery).meta({
      description: "Up to 50, those that have not arrived first",
    }),
    paused: endpointGroup.meta({
      description: "Wanted it and were paused then: their deliveries parked",
    }),
    disabled: endpointGroup.meta({
      description: "Wanted the type and were disabled then: nothing was sent",
    }),
    filtered: endpointGroup.meta({
      description: "Wanted the type; their filter did not let it through",
    }),
    notNamed: notNamed.nullable().meta({
      description:
        "The tenant's other endpoints. Null where endpoints were not looked at: a destination of its own, a duplicate, or turned away",
    }),
    next: listOf(nextStep).meta({
      description: "What a person can do, the first first",
    }),
    truncated: z.boolean().meta({
      description: "There are more deliveries or attempts than are shown",
    }),
  })
  .meta({ id: "EventExplanation" });
export type Explanation = z.infer<typeof explanation>;
