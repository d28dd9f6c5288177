import { REQUEST_METHODS, SIGNING_PROFILES } from "@postrider/core";
import { z } from "zod";
import { listOf, nextCursor, oneOf, shownTime } from "../http/shown.ts";

export const ENDPOINT_STATES = ["enabled", "paused", "disabled"] as const;

/** An endpoint as the API shows it: the ids and public keys of its secrets, never a secret. */
export const endpointView = z
  .strictObject({
    id: z.string(),
    externalId: z.string().nullable(),
    tenantId: z.string(),
    url: z.string(),
    description: z.string(),
    eventTypes: listOf(z.string()),
    filter: z
      .string()
      .nullable()
      .meta({ description: "A CEL expression; null: no filter" }),
    state: oneOf(ENDPOINT_STATES),
    stateReason: z
      .string()
      .nullable()
      .meta({ description: "Why it is paused or disabled" }),
    secrets: listOf(
      z.strictObject({
        id: z.string(),
        publicKey: z
          .string()
          .nullable()
          .meta({ description: "`whpk_…` of an ed25519 secret" }),
        createdAt: shownTime,
        expiresAt: shownTime
          .nullable()
          .meta({ description: "When a rotated secret stops signing" }),
      }),
    ).meta({ description: "Oldest first" }),
    signing: listOf(oneOf(SIGNING_PROFILES)),
    method: oneOf(REQUEST_METHODS),
    headers: z.record(z.string(), z.string()).readonly().meta({
      description: "The values of secret ones are shown as `[redacted]`",
    }),
    timeoutMs: z.int(),
    maxConcurrency: z.int(),
    rateLimit: z
      .strictObject({ perSecond: z.number(), burst: z.int() })
      .nullable(),
    retryDelaysMs: listOf(z.int()).nullable(),
    maxAttempts: z.int().nullable(),
    maxAgeMs: z.int().nullable(),
    notRetryableStatuses: listOf(z.int()),
    version: z.int().meta({ description: "Goes up by one with each change" }),
    createdAt: shownTime,
    updatedAt: shownTime,
  })
  .meta({ id: "Endpoint" });

export type EndpointView = z.infer<typeof endpointView>;

/** The answer to what makes a secret: the only one that shows it. */
export const endpointWithSecret = endpointView
  .extend({
    secret: z.string().meta({ description: "Shown in this answer only" }),
  })
  .meta({ id: "EndpointWithSecret" });

export const endpointPage = z
  .strictObject({ endpoints: listOf(endpointView), nextCursor })
  .meta({ id: "EndpointPage" });

export type EndpointPage = z.infer<typeof endpointPage>;
