import { eventViewOf, type EventView } from "./event-view.ts";
import { readPayload } from "./event-payload.ts";
import { invalid, type Routes } from "@postrider/http";
import type { FastifyRequest } from "fastify";
import { ofOneTenant, unknownEvent } from "./event-problems.ts";
import { MAX_ATTEMPTS, MAX_DELIVERIES } from "./event-sql.ts";
import { eventQuery, READ_OPERATIONS } from "./read-operations.ts";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";
import { ownTenant } from "../http/callers-tenant.ts";
import { readingOf } from "./whose-rows.ts";
import { problemsOf } from "../http/zod-problems.ts";

/** `GET /v1/events/{id}` and its payload: what the recorder has written, about a second behind what happened. */
export function eventRoutes(reader: Reader): Routes {
  return (app) => {
    app.get<ById>("/v1/events/:id", READ_OPERATIONS.event, async (request) =>
      readEvent(readingOf(reader, request.caller), askedOf(request)),
    );
    app.get<ById>(
      "/v1/events/:id/payload",
      READ_OPERATIONS.payload,
      async (request) =>
        readPayload(readingOf(reader, request.caller), askedOf(request)),
    );
  };
}

interface ById {
  Params: { id: string };
}

interface Asked {
  readonly eventId: string;
  readonly tenantId: string | null;
}

function askedOf(request: FastifyRequest<ById>): Asked {
  const query = eventQuery.safeParse(ownTenant(request));
  if (!query.success) throw invalid(problemsOf(query.error));
  return {
    eventId: request.params.id,
    tenantId: query.data.tenantId ?? null,
  };
}

async function readEvent(reader: Reading, asked: Asked): Promise<EventView> {
  const found = await reader.events(asked.eventId, asked.tenantId);
  const events = ofOneTenant(found);
  const [first] = events;
  if (first === undefined) throw unknownEvent(asked.eventId);
  const key = {
    tenantId: first.tenant_id,
    eventId: asked.eventId,
    receivedFrom: first.received_at, // the rows are sorted oldest first
    receivedTo: events.at(-1)?.received_at ?? first.received_at,
  };
  // In this order: the attempts that are read later then include those that decided the deliveries read before.
  const deliveries = await reader.deliveries(key);
  const attempts = await reader.attempts(key);
  return eventViewOf({
    events: [first, ...events.slice(1)],
    deliveries: deliveries.slice(0, MAX_DELIVERIES),
    attempts: attempts.slice(0, MAX_ATTEMPTS),
    truncated:
      deliveries.length > MAX_DELIVERIES || attempts.length > MAX_ATTEMPTS,
  });
}
