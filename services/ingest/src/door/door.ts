import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { isJsonContentType } from "@postrider/core";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import { answerClientError } from "@postrider/runtime";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { AcceptedEvent } from "./accept-events.ts";
import { createKeyCheck } from "../bearer-key.ts";
import { boundUploads, type UploadLimits } from "./bound-uploads.ts";
import {
  DoorProblem,
  type DoorProblemKind,
  PROBLEM_MEDIA_TYPE,
} from "./door-problem.ts";
import type { EventsRequest } from "./read-request.ts";

export interface DoorOptions extends UploadLimits {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly adminKey: string;
  /** Throws `DoorProblem`. */
  readonly accept: (request: EventsRequest) => Promise<AcceptedEvent[]>;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

/** The HTTP door: `POST /v1/events`. */
export interface Door extends Lifecycle {
  /** Where it listens, once started. */
  url(): string;
  isListening(): boolean;
}

/** Bodies are taken as bytes and never parsed by the server. `stop` lets requests end until the deadline. */
export function createDoor(options: DoorOptions): Door {
  const app = createApp(options);
  let origin = "";
  return {
    url: () => origin,
    isListening: () => app.server.listening,
    async start() {
      await app.listen({ host: options.host, port: options.port });
      const { port } = app.server.address() as AddressInfo; // listening on TCP, so not a pipe's name
      const host = options.host.includes(":")
        ? `[${options.host}]`
        : options.host;
      origin = `http://${host}:${port}`;
      options.log.info("door.listening", { url: origin });
    },
    async stop(deadline) {
      const late = setTimeout(
        () => app.server.closeAllConnections(),
        Math.max(0, deadline - options.clock.now()),
      );
      await app.close();
      clearTimeout(late);
    },
  };
}

function createApp(options: DoorOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 1024 },
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]),
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      // before routing no route's types are known
      sendProblem(problemOf(error), request, reply as ProblemReply);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => {
    done(null, body);
  });
  const hasKey = createKeyCheck(options.adminKey);
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-request-id", request.id);
    void reply.header("cache-control", "no-store");
    if (!hasKey(request.headers.authorization)) throw unauthenticated();
    if (request.method === "POST") requirePlainJson(request);
  });
  boundUploads(app, options);
  app.post("/v1/events", async (request, reply) => {
    const { body } = request;
    const events = await options.accept({
      body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      idempotencyKey: headerOf(request, "idempotency-key"),
      traceparent: headerOf(request, "traceparent"),
    });
    return reply.status(202).send({ events });
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split("?")[0] ?? "";
    throw new DoorProblem(
      "not_found",
      `There is no ${request.method} ${path} here; events go to POST /v1/events.`,
    );
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.code === "internal")
      options.log.error("request.failed", { requestId: request.id, error });
    sendProblem(problem, request, reply);
  });
  observe(app, options);
  return app;
}

const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10];

function observe(app: FastifyInstance, { log, meter }: DoorOptions): void {
  const duration = meter.histogram(
    "postrider_door_request_seconds",
    "From a request at the door to its answer.",
    DURATION_BUCKETS,
    ["status"],
  );
  app.addHook("onResponse", async (request, reply) => {
    const { statusCode, elapsedTime } = reply;
    duration.observe(elapsedTime / 1_000, { status: String(statusCode) });
    log.debug("request.answered", {
      requestId: request.id,
      statusCode,
      durationMs: Math.round(elapsedTime),
    });
  });
}

function requirePlainJson(request: FastifyRequest): void {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    throw new DoorProblem(
      "unsupported_media_type",
      "Compressed bodies are not read; send it without content-encoding.",
    );
  const type = request.headers["content-type"];
  if (type === undefined || !isJsonContentType(type))
    throw new DoorProblem(
      "unsupported_media_type",
      "Send JSON, with content-type: application/json.",
    );
}

/** What is needed of a reply, whatever its generics. */
interface ProblemReply {
  code(status: number): unknown;
  headers(headers: Readonly<Record<string, string>>): unknown;
  send(body: Buffer): unknown;
}

function sendProblem(
  problem: DoorProblem,
  request: { readonly id: string },
  reply: ProblemReply,
): void {
  reply.code(problem.status);
  reply.headers({ ...problem.headers, "content-type": PROBLEM_MEDIA_TYPE });
  // fastify would add a charset to a text, which the media type has not
  reply.send(Buffer.from(JSON.stringify(problem.document(request.id))));
}

/** Fastify's own refusals, by their code. */
const FRAMEWORK_PROBLEMS: Readonly<Record<string, DoorProblemKind>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
};

function problemOf(error: unknown): DoorProblem {
  if (error instanceof DoorProblem) return error;
  const { code, statusCode, message } = error as {
    code?: string;
    statusCode?: number;
    message?: string;
  };
  const isCallers =
    statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (!isCallers)
    return new DoorProblem(
      "internal",
      "The fault is in Postrider's log under this request id.",
    );
  return new DoorProblem(
    FRAMEWORK_PROBLEMS[code ?? ""] ?? "bad_request",
    message ?? "The request cannot be read.",
    {
      errors: [
        {
          field: code === "FST_ERR_BAD_URL" ? "url" : "body",
          rule: (code ?? "json")
            .replace(/^FST_ERR_(?:CTP_)?/, "")
            .toLowerCase(),
          message: message ?? "cannot be read",
        },
      ],
    },
  );
}

function unauthenticated(): DoorProblem {
  return new DoorProblem(
    "unauthenticated",
    "Send the admin key as `authorization: Bearer KEY`.",
    {
      errors: [
        {
          field: "authorization",
          rule: "bearer",
          message: "must carry the admin key",
        },
      ],
      headers: { "www-authenticate": 'Bearer realm="postrider"' },
    },
  );
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** A caller's own id is taken over when it cannot harm a log line. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given)
    ? given
    : randomUUID();
}
