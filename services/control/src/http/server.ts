import {
  type AnsweredRequest,
  type ApiDescription,
  type ApiServer,
  createApiServer,
  type KnownKeys,
  parseJsonBody,
  type Routes,
} from "@postrider/http";
import type { Clock, Log, Meter } from "@postrider/runtime";
import type { FastifyRequest } from "fastify";

export interface ServerOptions {
  readonly host: string;
  /** 0: the system chooses a free port. */
  readonly port: number;
  readonly adminKey: string;
  readonly keys: KnownKeys;
  readonly routes: readonly Routes[];
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

/** Large enough for every SQL text and endpoint document that is allowed. */
const MAX_BODY_BYTES = 256 * 1024;

/** Control's REST server. Bodies are JSON. */
export function createServer(options: ServerOptions): ApiServer {
  return createApiServer({
    ...options,
    name: "api",
    description: DESCRIPTION,
    maxBodyBytes: MAX_BODY_BYTES,
    routes: [readJsonOnly, ...options.routes],
    onAnswered: observer(options),
  });
}

const DESCRIPTION: ApiDescription = {
  title: "Postrider: control",
  description:
    "Endpoints, what became of events and deliveries, keys and queries. Bodies are JSON, times RFC 3339. Every GET also answers HEAD.\n\nAn answer that is no success is a problem document (RFC 9457) whose `errors` name each wrong field and the rule that it broke. What is no valid HTTP is answered with 400, 408, 413, 417 or 431 in the same form.",
  tags: {
    endpoints: "Where events go.",
    events: "What became of an event.",
    deliveries: "Deliveries, their attempts, and what was given up.",
    replays: "Past deliveries that are sent again.",
    queries: "SQL over what is recorded.",
    audit: "Who changed what.",
    keys: "Who may call the APIs.",
    "event types": "What events there are, and what a tenant's are held to.",
    secrets: "Which encryption keys seal endpoints' secrets.",
    status: "The replica that answers, and the services beside it.",
    console: "The pages for people.",
  },
};

/** Accepts JSON bodies only. An empty body counts as none, so that `POST …/enable` with a content type but no body works. */
const readJsonOnly: Routes = (app) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i,
    { parseAs: "buffer" },
    async (_request: FastifyRequest, body: Buffer) =>
      body.length === 0 ? undefined : parseJsonBody(body),
  );
};

const BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** Writes one log line and one observation per request. They hold the route's pattern, never the URL or a body. */
function observer({
  log,
  meter,
}: ServerOptions): (answered: AnsweredRequest) => void {
  const duration = meter.histogram(
    "postrider_control_request_seconds",
    "Requests to the API, by route and status.",
    BUCKETS,
    ["method", "route", "status"],
  );
  return ({ requestId, keyId, method, route, statusCode, elapsedMs }) => {
    const durationMs = Math.round(elapsedMs);
    const labels = { method, route, status: String(statusCode) };
    duration.observe(durationMs / 1000, labels);
    log.info("request.answered", {
      requestId,
      keyId,
      ...labels,
      statusCode,
      durationMs,
    });
  };
}
