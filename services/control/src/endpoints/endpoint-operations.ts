/** What the routes of endpoints take and answer. */
import { ADMINISTER, described, READ } from "@postrider/http";
import { z } from "zod";
import type { EndpointInput } from "./endpoint-input.ts";
import { listQuery } from "./endpoint-list.ts";
import {
  endpointPage,
  endpointView,
  endpointWithSecret,
  type EndpointView,
} from "./endpoint-view.ts";
import { endpointValidation, validationQuery } from "./endpoint-validation.ts";
import { kinds, VERSION_KINDS, WRITE_KINDS } from "../http/problem.ts";
import { auditReason, idOf } from "../http/shown.ts";

const tag = "endpoints";
export const endpointId = idOf("endpoint", "ep_-G1g1IH4ROO53XhlifGkarGF");

/** `"3"`, as an ETag has it, `3`, or `*` for any version (RFC 9110 §13.1.1). */
const version = z
  .string()
  .meta({ pattern: '^\\s*("[1-9][0-9]{0,9}"|[1-9][0-9]{0,9}|\\*)\\s*$' });

export const ifMatch = {
  "if-match": version.meta({
    description:
      "The version that the change is meant for: an ETag; `*` is any",
    examples: ['"3"'],
  }),
};
export const optionalIfMatch = {
  "if-match": version.optional().meta({
    description: "Refuse if the endpoint is at another version",
    examples: ['"3"'],
  }),
};

export const etag = { etag: 'The endpoint\'s version, as `"3"`' };

const AN_ENDPOINT: EndpointView = {
  id: "ep_-G1g1IH4ROO53XhlifGkarGF",
  externalId: null,
  tenantId: "acme",
  url: "https://example.com/hooks",
  description: "orders",
  eventTypes: ["order.*"],
  filter: null,
  state: "enabled",
  stateReason: null,
  secrets: [
    {
      id: "sec_7EX9v3RzzZP6M4Xi",
      publicKey: null,
      createdAt: "2026-11-24T00:03:17.999Z",
      expiresAt: null,
    },
  ],
  signing: ["standard"],
  method: "POST",
  headers: {},
  timeoutMs: 15000,
  maxConcurrency: 16,
  rateLimit: null,
  retryDelaysMs: null,
  maxAttempts: null,
  maxAgeMs: null,
  notRetryableStatuses: [],
  version: 1,
  createdAt: "2026-11-24T00:03:17.999Z",
  updatedAt: "2026-11-24T00:03:17.999Z",
};

const ONE = {
  description: "The endpoint",
  body: endpointView,
  headers: etag,
  example: AN_ENDPOINT,
};
const WITH_SECRET = {
  description: "The endpoint and its new secret, which is shown this once",
  body: endpointWithSecret,
  example: { ...AN_ENDPOINT, secret: "whsec_MH8iigZwblo0kw+rUtIVNFSIi/sIYzUd" },
};

export function endpointOperations(schemas: EndpointInput["schemas"]) {
  const stateChange = (
    id: string,
    summary: string,
    more: ReturnType<typeof kinds> = {},
  ) =>
    described(ADMINISTER, {
      id,
      tag,
      summary,
      params: endpointId,
      headers: z.object({ ...optionalIfMatch, ...auditReason }),
      body: {
        schema: schemas.reason,
        isOptional: true,
        example: { reason: "they move to a new server" },
      },
      answers: { 200: ONE },
      problems: {
        ...WRITE_KINDS,
        ...kinds("stale_version", "kafka_unavailable"),
        ...more,
      },
    });
  return {
    create: described(ADMINISTER, {
      id: "createEndpoint",
      tag,
      summary: "Creates an endpoint",
      description: "`tenantId` may be left out with a key that has a tenant.",
      headers: z.object(auditReason),
      body: {
        schema: schemas.creation,
        example: {
          tenantId: "acme",
          url: "https://example.com/hooks",
          eventTypes: ["order.*"],
          description: "orders",
        },
      },
      answers: {
        201: {
          ...WITH_SECRET,
          headers: { ...etag, location: "The endpoint's path" },
        },
      },
      problems: { ...kinds("conflict"), ...WRITE_KINDS },
    }),
    list: described(READ, {
      id: "listEndpoints",
      tag,
      summary: "Lists endpoints, oldest first",
      query: listQuery,
      answers: {
        200: {
          description: "A page",
          body: endpointPage,
          example: { endpoints: [AN_ENDPOINT], nextCursor: null },
        },
      },
    }),
    get: described(READ, {
      id: "getEndpoint",
      tag,
      summary: "One endpoint",
      params: endpointId,
      answers: { 200: ONE },
    }),
    change: described(ADMINISTER, {
      id: "changeEndpoint",
      tag,
      summary: "Changes the fields that are named",
      params: endpointId,
      headers: z.object({ ...ifMatch, ...auditReason }),
      body: { schema: schemas.change, example: { maxConcurrency: 4 } },
      answers: { 200: ONE },
      problems: {
        ...kinds("conflict", "kafka_unavailable"),
        ...VERSION_KINDS,
        ...WRITE_KINDS,
      },
    }),
    remove: described(ADMINISTER, {
      id: "deleteEndpoint",
      tag,
      summary: "Deletes an endpoint",
      description:
        "Deliveries that wait for it become dead letters, `endpoint_deleted`.",
      params: endpointId,
      headers: z.object({ ...ifMatch, ...auditReason }),
      answers: { 204: { description: "It is deleted" } },
      problems: { ...VERSION_KINDS, ...WRITE_KINDS },
    }),
    rotateSecret: described(ADMINISTER, {
      id: "rotateSecret",
      tag,
      summary: "Gives it a new secret",
      params: endpointId,
      headers: z.object({ ...ifMatch, ...auditReason }),
      body: {
        schema: schemas.rotation,
        isOptional: true,
        example: { overlapMs: 3600000 },
      },
      answers: { 200: { ...WITH_SECRET, headers: etag } },
      problems: { ...kinds("conflict"), ...VERSION_KINDS, ...WRITE_KINDS },
    }),
    validate: described(ADMINISTER, {
      id: "validateEndpoint",
      tag,
      summary: "Says what would be refused, and changes nothing",
      description:
        "The body is that of a creation, also for an endpoint that there is: what it leaves out gets its default, and its state and secrets stay.",
      query: validationQuery,
      body: {
        schema: schemas.creation,
        example: {
          tenantId: "acme",
          externalId: "billing",
          url: "https://10.0.0.1/",
          eventTypes: ["order.*"],
        },
      },
      answers: {
        200: {
          description: "What is wrong, also where something is",
          body: endpointValidation,
          example: {
            isValid: false,
            errors: [
              {
                field: "url",
                rule: "address",
                message: "requests to it are refused: private",
              },
              {
                field: "externalId",
                rule: "unique",
                message: "is the externalId of ep_-G1g1IH4ROO53XhlifGkarGF",
              },
            ],
            changes: null,
          },
        },
      },
      problems: kinds("not_found"),
    }),
    test: described(ADMINISTER, {
      id: "testEndpoint",
      tag,
      summary: "Sends it a test event",
      description:
        "A delivery like any other: signed, counted and recorded, but attempted once. `GET /v1/deliveries/{id}` says how it went.",
      params: endpointId,
      headers: z.object(auditReason),
      answers: {
        202: {
          description: "The delivery is on its way",
          body: z
            .strictObject({
              deliveryId: z.string(),
              eventId: z.string(),
              eventType: z.string(),
              webhookId: z.string(),
            })
            .meta({ id: "TestSend" }),
          headers: { location: "The delivery's path" },
          example: {
            deliveryId: "dlv_i_IxHJcZuxp042eu7Q857GGa",
            eventId: "test_m3Q9zXkX0b1Tn2Yy4fJ8cA",
            eventType: "postrider.test",
            webhookId: "msg_Xd5KlaPWKISr5kjYiumLIWiW",
          },
        },
      },
      problems: {
        ...kinds("conflict", "kafka_unavailable"),
        ...WRITE_KINDS,
      },
    }),
    pause: stateChange(
      "pauseEndpoint",
      "Parks what comes for it",
      kinds("conflict"),
    ),
    disable: stateChange(
      "disableEndpoint",
      "Routes nothing to it, and gives up what waits",
    ),
  };
}
