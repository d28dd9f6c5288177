/** What the door takes and answers. */
import {
  attemptsOf,
  MAX_INLINE_ATTEMPTS,
  RETRY_LIMITS,
  RETRY_PRESETS,
  type Destination,
  type WebhookEvent,
} from "@postrider/core";
import { described, PUBLISH, type ApiDescription } from "@postrider/http";
import { z } from "zod";
import { DOOR_KINDS } from "./door-problem.ts";
import { MAX_BATCH } from "./read-request.ts";

export const DESCRIPTION: ApiDescription = {
  title: "Postrider: the door",
  description:
    "Takes events in. An answer that is no success is a problem document (RFC 9457) whose `errors` name each wrong field and the rule that it broke. What is no valid HTTP is answered with 400, 408, 413, 417 or 431 in the same form.",
  tags: { events: "What happened, to be delivered." },
};

/** A field that may be left out; null counts as left out. */
const maybe = <S extends z.ZodType>(schema: S) => schema.nullable().optional();

const time = z.union([z.iso.datetime({ offset: true }), z.int()]);
const { delays, delayMs, ageMs, statuses, status } = RETRY_LIMITS;
const waits = z
  .array(z.int().min(delayMs.min).max(delayMs.max))
  .min(delays.min)
  .max(MAX_INLINE_ATTEMPTS - 1);

/**
 * What core reads of an envelope, field by field (json-envelope.ts): the body is read there, so that the payload keeps its bytes. The
 * compiler asks for each field of the record that is not made by the door itself; that the two agree on values is for the tests.
 */
const destination = z.looseObject({
  url: z.string().meta({ description: "As of an endpoint" }),
  secret: z.string().meta({ description: "As of an endpoint" }),
  maxAttempts: maybe(z.int().min(1).max(MAX_INLINE_ATTEMPTS)).meta({
    description: "The first included; default: 5, or one more than waits",
  }),
  timeoutSeconds: maybe(z.int().min(1).max(60)).meta({
    description: "Of an attempt; default: 30",
  }),
  retryDelaysMs: maybe(
    z.union([
      waits,
      z.enum(
        Object.entries(RETRY_PRESETS)
          .filter(([, preset]) => attemptsOf(preset) <= MAX_INLINE_ATTEMPTS)
          .map(([name]) => name),
      ),
    ]),
  ).meta({ description: "The wait after each failed attempt" }),
  maxAgeMs: maybe(z.int().min(ageMs.min).max(ageMs.max)).meta({
    description: "No attempt later; default: 72 h, or all waits",
  }),
  notRetryableStatuses: maybe(
    z.array(z.int().min(status.min).max(status.max)).max(statuses.max),
  ).meta({ description: "Statuses that end the delivery at once" }),
} satisfies Record<Exclude<keyof Destination, "sealedSecret">, z.ZodType>);

export const eventBody = z
  .looseObject({
    id: maybe(z.string().min(1).max(256)).meta({
      description:
        "Your id: the same again within the duplicate window is not delivered again. Left out only beside an `idempotency-key`",
    }),
    type: z
      .string()
      .min(1)
      .max(256)
      .meta({
        description: "Dotted words",
        examples: ["order.paid"],
      }),
    tenantId: maybe(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)).meta({
      description: "May be left out with a key that has a tenant",
    }),
    occurredAt: maybe(time),
    contentType: maybe(z.string()).meta({
      description: "Of the payload; default: `application/json`",
    }),
    payload: z
      .unknown()
      .meta({ description: "Delivered byte for byte as it is here" }),
    destination: maybe(destination).meta({
      description: "To this URL, with no endpoint registered",
    }),
    notBefore: maybe(time).meta({ description: "No attempt earlier" }),
    expiresAt: maybe(time).meta({ description: "No attempt later" }),
    headers: maybe(z.record(z.string(), z.string().nullable())).meta({
      description: "Further request headers to the receiver",
    }),
    traceparent: maybe(z.string()),
    tracestate: maybe(z.string()),
  } satisfies Record<keyof WebhookEvent, z.ZodType>)
  .meta({ id: "EventToPublish" });

const batch = z.looseObject({
  events: z.array(eventBody).min(1).max(MAX_BATCH),
});

export const PUBLISH_EVENTS = described(PUBLISH, {
  id: "publishEvents",
  tag: "events",
  summary: "Publishes one event or several",
  description:
    "202 means that the broker has acknowledged every one. It is all or nothing: one problem anywhere refuses the whole request.",
  headers: z.object({
    "idempotency-key": z
      .string()
      .regex(/^[\u0021-\u007e]{1,256}$/)
      .optional()
      .meta({
        description:
          "Names the events in place of their `id`s. Sent again with the same body, it has the same answer; with another body it is refused",
      }),
    traceparent: z.string().optional(),
    tracestate: z.string().optional(),
  }),
  body: {
    schema: z.union([eventBody, batch]),
    example: {
      id: "evt_1001",
      type: "order.paid",
      tenantId: "acme",
      payload: { orderId: 1001, total: 12.5 },
    },
  },
  answers: {
    202: {
      description: "All of them are accepted",
      body: z.strictObject({
        events: z.array(
          z.strictObject({ id: z.string(), tenantId: z.string() }),
        ),
      }),
      example: { events: [{ id: "evt_1001", tenantId: "acme" }] },
    },
  },
  problems: DOOR_KINDS,
});
