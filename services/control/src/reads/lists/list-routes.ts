import type { EpochMs } from "@postrider/core";
import type { Routes } from "@postrider/http";
import type { Clock } from "@postrider/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ownTenant } from "../../http/callers-tenant.ts";
import { readAsked } from "../../http/list-parameters.ts";
import { goneOf } from "../query-routes.ts";
import type { Reader } from "../reader.ts";
import {
  withEndpointsTenant,
  type KnownEndpoints,
} from "../endpoints-tenant.ts";
import { readingOf } from "../whose-rows.ts";
import { attemptConditions, attemptQuery, ATTEMPTS } from "./attempt-list.ts";
import { AUDIT, auditConditions, auditQuery } from "./audit-list.ts";
import {
  deadLetterConditions,
  deadLetterQuery,
  deadLettersOf,
} from "./dead-letter-list.ts";
import {
  deliveryConditions,
  deliveryQuery,
  DELIVERIES,
} from "./delivery-list.ts";
import { LIST_OPERATIONS } from "./list-operations.ts";
import type { List } from "./list.ts";
import { readPage, type PageAsked } from "./read-page.ts";

interface Asked extends PageAsked {
  readonly list: List;
}

/** `GET /v1/deliveries`, `/v1/attempts`, `/v1/dead-letters` and `/v1/audit`: filtered, from new to old, page by page. A tenant's key sees its tenant's rows alone. */
export function listRoutes({
  reader,
  clock,
  endpoints,
}: {
  readonly reader: Reader;
  readonly clock: Clock;
  readonly endpoints: KnownEndpoints;
}): Routes {
  async function answer(
    ask: (query: unknown, now: EpochMs) => Asked,
    {
      request,
      reply,
    }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  ) {
    const { list, ...asked } = ask(ownTenant(request), clock.now());
    const page = await readPage(list, asked, {
      reading: readingOf(reader, request.caller),
      clock,
      gone: goneOf(reply),
    });
    return { [list.name]: page.rows, nextCursor: page.nextCursor };
  }
  return (app) => {
    app.get(
      "/v1/deliveries",
      LIST_OPERATIONS.deliveries,
      async (request, reply) =>
        answer(
          (query, now) => {
            const asked = withEndpointsTenant(
              readAsked(deliveryQuery, query, now),
              endpoints,
            );
            const conditions = deliveryConditions(asked);
            return { ...asked, list: DELIVERIES, conditions };
          },
          { request, reply },
        ),
    );
    app.get("/v1/attempts", LIST_OPERATIONS.attempts, async (request, reply) =>
      answer(
        (query, now) => {
          const asked = withEndpointsTenant(
            readAsked(attemptQuery, query, now),
            endpoints,
          );
          const conditions = attemptConditions(asked);
          return { ...asked, list: ATTEMPTS, conditions };
        },
        { request, reply },
      ),
    );
    app.get(
      "/v1/dead-letters",
      LIST_OPERATIONS.deadLetters,
      async (request, reply) =>
        answer(
          (query, now) => {
            const asked = withEndpointsTenant(
              readAsked(deadLetterQuery, query, now),
              endpoints,
            );
            const conditions = deadLetterConditions(asked);
            return { ...asked, list: deadLettersOf(asked), conditions };
          },
          { request, reply },
        ),
    );
    app.get("/v1/audit", LIST_OPERATIONS.audit, async (request, reply) =>
      answer(
        (query, now) => {
          const asked = readAsked(auditQuery, query, now);
          const conditions = auditConditions(asked);
          return { ...asked, list: AUDIT, conditions };
        },
        { request, reply },
      ),
    );
  };
}
