import { isJsonContentType } from "@postrider/core";
import {
  type AnsweredRequest,
  type ApiServer,
  createApiServer,
  type KnownKeys,
  type Routes,
} from "@postrider/http";
import type { Clock, Log, Meter } from "@postrider/runtime";
import type { FastifyRequest } from "fastify";
import type { AcceptedEvent } from "./accept-events.ts";
import { boundUploads, type UploadLimits } from "./bound-uploads.ts";
import { DESCRIPTION, PUBLISH_EVENTS } from "./door-operations.ts";
import { DoorProblem } from "./door-problem.ts";
import type { EventsRequest } from "./read-request.ts";

export interface DoorOptions extends UploadLimits {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly adminKey: string;
  readonly keys: KnownKeys;
  /** Accepts the events of one request. Throws a `ProblemError`. */
  readonly accept: (request: EventsRequest) => Promise<AcceptedEvent[]>;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

export type Door = ApiServer;

/** The HTTP door, `POST /v1/events`. The server passes bodies on as bytes and does not parse them, so that payloads keep their bytes. */
export function createDoor(options: DoorOptions): Door {
  return createApiServer({
    ...options,
    name: "door",
    description: DESCRIPTION,
    unknownRoute:
      " here. Events go to POST /v1/events; endpoints and everything else are at control's address.",
    routes: [
      takePlainJson,
      (app) => boundUploads(app, options),
      acceptEvents(options),
    ],
    onAnswered: observer(options),
  });
}

const takePlainJson: Routes = (app) => {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.method === "POST") requirePlainJson(request);
    done();
  });
};

function acceptEvents(options: DoorOptions): Routes {
  return (app) => {
    app.post("/v1/events", PUBLISH_EVENTS, async (request, reply) => {
      const { body } = request;
      const events = await options.accept({
        body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
        tenantId: request.caller.tenantId,
        idempotencyKey: headerOf(request, "idempotency-key"),
        traceparent: headerOf(request, "traceparent"),
        tracestate: headerOf(request, "tracestate"),
      });
      return reply.status(202).send({ events });
    });
  };
}

const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10];

function observer({
  log,
  meter,
}: DoorOptions): (answered: AnsweredRequest) => void {
  const duration = meter.histogram(
    "postrider_door_request_seconds",
    "From a request at the door to its answer.",
    DURATION_BUCKETS,
    ["status"],
  );
  return ({ requestId, keyId, statusCode, elapsedMs }) => {
    duration.observe(elapsedMs / 1_000, { status: String(statusCode) });
    log.debug("request.answered", {
      requestId,
      keyId,
      statusCode,
      durationMs: Math.round(elapsedMs),
    });
  };
}

function requirePlainJson({ headers }: FastifyRequest): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    throw unsupported("content-encoding", "compressed bodies are not read");
  const type = headers["content-type"];
  if (type === undefined || !isJsonContentType(type))
    throw unsupported("content-type", "must be application/json");
}

function unsupported(field: string, message: string): DoorProblem {
  return new DoorProblem("unsupported_media_type", `${field}: ${message}`, {
    errors: [{ field, rule: "media_type", message }],
  });
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
