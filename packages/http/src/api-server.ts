import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import fastify, { type FastifyInstance } from "fastify";
import { accessOf, EVERYONE } from "./access.ts";
import { createAuthorizer } from "./authorize.ts";
import type { Caller } from "./caller.ts";
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  limitConnections,
} from "./connection-limits.ts";
import { documentRoutes } from "./openapi/document-routes.ts";
import type { KnownKeys } from "./known-keys.ts";
import type { OpenApiDocument } from "./openapi/document.ts";
import type { ApiDescription } from "./openapi/openapi.ts";
import {
  CommonProblem,
  PROBLEM_MEDIA_TYPE,
  ProblemError,
} from "./problem-error.ts";
import type { ApiRoute, Routes } from "./routes.ts";
import { answerUnreadableRequests } from "./unreadable-request.ts";

export interface ApiServerOptions {
  /** Prefix of the log event that gives the server's URL: `door` gives `door.listening`. */
  readonly name: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly adminKey: string;
  readonly keys: KnownKeys;
  readonly maxBodyBytes: number;
  /** How long a request may take to arrive, from its first byte to its last. Default: 30 s. */
  readonly requestTimeoutMs?: number;
  /** Default: CONNECTION_LIMITS. */
  readonly connections?: Partial<ConnectionLimits>;
  readonly routes: readonly Routes[];
  readonly description: ApiDescription;
  /** Text after "There is no GET /x" in the answer to an unknown route. Default: a full stop. */
  readonly unknownRoute?: string;
  /** Called for every answered request, whatever its status. */
  readonly onAnswered: (answered: AnsweredRequest) => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: Meter;
}

export interface AnsweredRequest {
  readonly requestId: string;
  /** Id of the caller's key, also where that may not do it or is beyond its limit; null for a request without a valid one. */
  readonly keyId: string | null;
  readonly method: string;
  /** The route's pattern, never the URL; `none` if there is no such route. */
  readonly route: string;
  readonly statusCode: number;
  /** From the request's headers to the end of its answer. */
  readonly elapsedMs: number;
}

/** An HTTP server of an API. `url()` is its address, once started. */
export interface ApiServer extends Lifecycle {
  url(): string;
  isListening(): boolean;
  /** Every route and who may call it. */
  readonly routes: readonly ApiRoute[];
  /** What `GET /openapi.json` answers. */
  document(): OpenApiDocument;
  /** For tests that need no socket. */
  readonly app: FastifyInstance;
}

/**
 * Creates the HTTP server of an API. Every request needs a valid key, unknown routes too, but for the routes that describe the API; a
 * route that does not say who may call it (access.ts) is for admins without a tenant (deny by default). Every answer other than success is a problem document.
 * `stop` waits for running requests until the deadline, then closes their connections.
 */
export function createApiServer(options: ApiServerOptions): ApiServer {
  let isStopping = false;
  const routes: ApiRoute[] = [];
  const own = documentRoutes(options.description, routes);
  const app = createApp(
    { ...options, routes: [...options.routes, own.routes] },
    routes,
    () => isStopping,
  );
  let origin = "";
  return {
    app,
    routes,
    document: own.document,
    url: () => origin,
    isListening: () => app.server.listening,
    async start() {
      await app.listen({ host: options.host, port: options.port });
      const { port } = app.server.address() as AddressInfo; // listening on TCP, so not a pipe's name
      const host = options.host.includes(":")
        ? `[${options.host}]`
        : options.host;
      origin = `http://${host}:${port}`;
      options.log.info(`${options.name}.listening`, { url: origin });
    },
    async stop(deadline) {
      isStopping = true;
      const late = setTimeout(
        () => app.server.closeAllConnections(),
        Math.max(0, deadline - options.clock.now()),
      );
      await app.close();
      clearTimeout(late);
    },
  };
}

const MAX_PARAMETER_LENGTH = 1_024;

/** Adds each route to `registered`. */
function createApp(
  options: ApiServerOptions,
  registered: ApiRoute[],
  isStopping: () => boolean,
): FastifyInstance {
  const { maxBodyBytes, requestTimeoutMs = 30_000 } = options;
  const unreadable = answerUnreadableRequests(options.log);
  const app = fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: "idle",
    return503OnClosing: false, // fastify's 503 is not a problem document
    http: {
      requireHostHeader: false, // node's 400 is not a problem document; requireHost checks instead
      // node takes the longer of this and requestTimeout for the whole request, and its default is a minute
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(requestTimeoutMs, 5_000),
    },
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]),
    clientErrorHandler: unreadable.onClientError,
    frameworkErrors: (error, request, reply) => {
      sendProblem(problemOf(error, maxBodyBytes), {
        requestId: request.id,
        // fastify has no reply type before routing; a reply of any type has these three methods
        reply: reply as ProblemReply,
      });
    },
  });
  unreadable.attach(app.server);
  const connections = limitConnections(
    app.server,
    { ...CONNECTION_LIMITS, ...options.connections },
    options,
  );
  app.addHook("onClose", (_, done) => {
    connections.stop();
    done();
  });
  const authorizer = createAuthorizer(options);
  // No route runs before the hook below has set the caller.
  app.decorateRequest("caller", null as unknown as Caller);
  // With callbacks, because a promise for each hook would cost more than most of the hooks do.
  app.addHook("onRequest", (request, reply, done) => {
    unreadable.onRequest(reply.raw);
    connections.onRequest(reply.raw);
    void reply.header("x-request-id", request.id);
    void reply.header("cache-control", "no-store");
    void reply.header("x-content-type-options", "nosniff");
    if (isStopping()) return done(stopping());
    requireHost(request.raw);
    const access = request.is404 ? null : accessOf(request.routeOptions.config);
    if (access === EVERYONE) return done();
    const key = authorizer.keyOf(request.headers.authorization);
    request.caller = key.caller;
    authorizer.requireAllowed(key, access);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    connections.onAnswered(reply.raw);
    options.onAnswered({
      requestId: request.id,
      keyId: (request.caller as Caller | null)?.keyId ?? null,
      method: request.method,
      route: request.routeOptions.url ?? "none",
      statusCode: reply.statusCode,
      elapsedMs: reply.elapsedTime,
    });
    done();
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split("?")[0] ?? "";
    throw new CommonProblem(
      "not_found",
      `There is no ${request.method} ${path}${options.unknownRoute ?? "."}`,
    );
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, maxBodyBytes);
    if (problem.code === "internal")
      options.log.error("request.failed", { requestId: request.id, error });
    sendProblem(problem, { requestId: request.id, reply });
  });
  app.addHook("onRoute", ({ method, url, config = {} }) => {
    for (const each of [method].flat())
      registered.push({
        method: each,
        url,
        access: accessOf(config),
        operation: config.operation ?? null,
      });
  });
  for (const routes of options.routes) routes(app);
  return app;
}

/** Keeps the caller's own request id if it is safe in a log line; otherwise makes one. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given)
    ? given
    : randomUUID();
}

function stopping(): CommonProblem {
  return new CommonProblem("stopping", "Send it again: another one answers.", {
    headers: { "retry-after": "1" },
  });
}

/** HTTP/1.1 requires a `host` header, and a 400 if it is missing (RFC 9112, 3.2). */
function requireHost({ httpVersion, headers }: IncomingMessage): void {
  if (headers.host !== undefined || httpVersion !== "1.1") return;
  throw new CommonProblem("bad_request", "The header `host` is missing.", {
    errors: [{ field: "host", rule: "required", message: "is missing" }],
  });
}

function problemOf(error: unknown, maxBodyBytes: number): ProblemError<string> {
  if (error instanceof ProblemError) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  const isCallers =
    statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (!isCallers)
    return new CommonProblem(
      "internal",
      "The fault is in Postrider's log under this request id.",
      { cause: error },
    );
  const refusal = (
    kind: "bad_request" | "too_large" | "unsupported_media_type",
    field: string,
    rule: string,
    message: string,
  ): CommonProblem =>
    new CommonProblem(kind, `${field}: ${message}`, {
      errors: [{ field, rule, message }],
      cause: error,
    });
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refusal(
        "too_large",
        "body",
        "max_bytes",
        `must be at most ${maxBodyBytes} bytes`,
      );
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return refusal(
        "unsupported_media_type",
        "content-type",
        "media_type",
        "must be application/json",
      );
    case "FST_ERR_BAD_URL":
      return refusal(
        "bad_request",
        "url",
        "syntax",
        "must be a path whose %-escapes are UTF-8",
      );
    case "FST_ERR_MAX_PARAM_LENGTH":
      return refusal(
        "bad_request",
        "url",
        "length",
        `must have no part of more than ${MAX_PARAMETER_LENGTH} characters`,
      );
    default:
      return refusal("bad_request", "body", "unreadable", "cannot be read");
  }
}

/** The methods of a fastify reply that are used, so that a reply with any type parameters fits. */
interface ProblemReply {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: Buffer): unknown;
}

function sendProblem(
  problem: ProblemError<string>,
  to: { readonly requestId: string; readonly reply: ProblemReply },
): void {
  const { requestId, reply } = to;
  reply.code(problem.status);
  reply.headers({
    ...problem.headers,
    "content-type": PROBLEM_MEDIA_TYPE,
    // set again here: an error before the onRequest hook also needs these
    "x-request-id": requestId,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  // a buffer, because fastify adds a charset to a string, and this media type has no charset
  reply.send(Buffer.from(JSON.stringify(problem.document(requestId))));
}
