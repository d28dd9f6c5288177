/** What the routes of event types, and of what events are held to, take and answer. */
import { TYPE_LEVELS } from "@postrider/event-types";
import { ADMINISTER, described, READ } from "@postrider/http";
import { z } from "zod";
import { kinds, VERSION_KINDS, WRITE_KINDS } from "../http/problem.ts";
import {
  auditReason,
  listOf,
  nextCursor,
  oneOf,
  shownTime,
} from "../http/shown.ts";
import {
  eventTypePage,
  eventTypeView,
  type EventTypeView,
} from "./event-type.ts";
import {
  eventTypeChange,
  eventTypeCreation,
  policyChange,
  policyListQuery,
  policyParams,
  typeListQuery,
  typeQuery,
} from "./event-type-input.ts";

const tag = "event types";
const params = z.strictObject({
  name: z.string().meta({ examples: ["order.paid"] }),
});
const ifMatch = z.string().meta({
  pattern: '^\\s*("[1-9][0-9]{0,9}"|[1-9][0-9]{0,9}|\\*)\\s*$',
  description: "The version that the change is meant for: an ETag; `*` is any",
  examples: ['"3"'],
});
const headers = z.object({ "if-match": ifMatch, ...auditReason });

const A_TYPE: EventTypeView = {
  name: "order.paid",
  tenantId: null,
  description: "An order was paid in full",
  schema: {
    type: "object",
    required: ["orderId"],
    properties: { orderId: { type: "integer" }, total: { type: "number" } },
  },
  example: { orderId: 1001, total: 12.5 },
  version: 1,
  createdAt: "2026-11-30T08:00:00.000Z",
  updatedAt: "2026-11-30T08:00:00.000Z",
};
const ONE = {
  description: "The event type",
  body: eventTypeView,
  headers: { etag: 'Its version, as `"3"`' },
  example: A_TYPE,
};

export const policyView = z
  .strictObject({
    tenantId: z.string(),
    level: oneOf(TYPE_LEVELS),
    updatedAt: shownTime.nullable().meta({ description: "Null: never set" }),
  })
  .meta({ id: "EventTypePolicy" });
export type PolicyView = z.infer<typeof policyView>;

const A_POLICY: PolicyView = {
  tenantId: "acme",
  level: "schema",
  updatedAt: "2026-11-30T08:00:00.000Z",
};
const THE_POLICY = {
  description: "The policy",
  body: policyView,
  example: A_POLICY,
};

export const EVENT_TYPE_OPERATIONS = {
  create: described(ADMINISTER, {
    id: "createEventType",
    tag,
    summary: "Adds an event type to the catalogue",
    description:
      "Without `tenantId` it is every tenant's; with a key that has a tenant it is that tenant's.",
    headers: z.object(auditReason),
    body: {
      schema: eventTypeCreation,
      example: {
        name: "order.paid",
        description: A_TYPE.description,
        schema: A_TYPE.schema,
        example: A_TYPE.example,
      },
    },
    answers: {
      201: { ...ONE, headers: { ...ONE.headers, location: "Its path" } },
    },
    problems: { ...kinds("conflict"), ...WRITE_KINDS },
  }),
  list: described(READ, {
    id: "listEventTypes",
    tag,
    summary: "Lists event types, oldest first",
    query: typeListQuery,
    answers: {
      200: {
        description: "A page",
        body: eventTypePage,
        example: { eventTypes: [A_TYPE], nextCursor: null },
      },
    },
  }),
  get: described(READ, {
    id: "getEventType",
    tag,
    summary: "One event type",
    description:
      "With a tenant it is what the tenant's events are held to: its own type, else every tenant's.",
    params,
    query: typeQuery,
    answers: { 200: ONE },
  }),
  change: described(ADMINISTER, {
    id: "changeEventType",
    tag,
    summary: "Changes the fields that are named",
    params,
    query: typeQuery,
    headers,
    body: {
      schema: eventTypeChange,
      example: { description: "An order was paid, in full or in part" },
    },
    answers: { 200: ONE },
    problems: { ...kinds("conflict"), ...VERSION_KINDS, ...WRITE_KINDS },
  }),
  remove: described(ADMINISTER, {
    id: "deleteEventType",
    tag,
    summary: "Removes an event type from the catalogue",
    description:
      "Events of a tenant that is held to the catalogue are refused from then on, unless another type has the name.",
    params,
    query: typeQuery,
    headers,
    answers: { 204: { description: "It is removed" } },
    problems: { ...VERSION_KINDS, ...WRITE_KINDS },
  }),
  listPolicies: described(READ, {
    id: "listEventTypePolicies",
    tag,
    summary: "Lists the tenants whose events are held to the catalogue",
    query: policyListQuery,
    answers: {
      200: {
        description: "A page",
        body: z
          .strictObject({ policies: listOf(policyView), nextCursor })
          .meta({ id: "EventTypePolicyPage" }),
        example: { policies: [A_POLICY], nextCursor: null },
      },
    },
  }),
  getPolicy: described(READ, {
    id: "getEventTypePolicy",
    tag,
    summary: "What a tenant's events are held to",
    params: policyParams,
    answers: { 200: THE_POLICY },
  }),
  setPolicy: described(ADMINISTER, {
    id: "setEventTypePolicy",
    tag,
    summary: "Says what a tenant's events are held to",
    params: policyParams,
    headers: z.object(auditReason),
    body: { schema: policyChange, example: { level: "schema" } },
    answers: { 200: THE_POLICY },
    problems: { ...kinds("conflict"), ...WRITE_KINDS },
  }),
};
