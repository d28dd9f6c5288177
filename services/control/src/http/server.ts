import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { Clock, Lifecycle, Log, Meter } from "@postrider/runtime";
import { answerClientError } from "@postrider/runtime";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import {
  PROBLEM_MEDIA_TYPE,
  ProblemError,
  type ProblemKind,
} from "./problem.ts";

/** A piece of the API: adds its routes. */
export type Routes = (app: FastifyInstance) => void;

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly adminKey: string;
  readonly routes: readonly Routes[];
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
}

/** The REST server: `url()` is where it listens, once started. */
export interface Server extends Lifecycle {
  url(): string;
  /** For tests that need no socket. */
  readonly app: FastifyInstance;
}

/** SQL texts and endpoint documents fit; nothing that a caller may send is larger. */
const MAX_BODY_BYTES = 256 * 1024;

/**
 * Every request needs the admin key, unknown routes too (deny by default); every answer other than success is a problem
 * document. `stop` lets requests end until the deadline, then closes their connections.
 */
export function createServer(options: ServerOptions): Server {
  const app = createApp(options);
  let origin = "";
  return {
    app,
    url: () => origin,
    async start() {
      await app.listen({ host: options.host, port: options.port });
      const { port } = app.server.address() as AddressInfo; // listening on TCP, so not a pipe's name
      const host = options.host.includes(":")
        ? `[${options.host}]`
        : options.host;
      origin = `http://${host}:${port}`;
      options.log.info("api.listening", { url: origin });
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

function createApp(options: ServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 1024 },
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]),
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      // before routing no route's types are known; a text is always right
      sendProblem(problemOf(error), request, reply as ProblemReply);
    },
  });
  readJsonOnly(app);
  const isAdmin = createKeyCheck(options.adminKey);
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-request-id", request.id);
    void reply.header("cache-control", "no-store");
    if (!isAdmin(request.headers.authorization)) throw unauthenticated();
  });
  app.addHook("onResponse", async (request, reply) => {
    observe(options, request, {
      statusCode: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
    });
  });
  app.setNotFoundHandler((request) => {
    throw new ProblemError(
      "not_found",
      `There is no ${request.method} ${request.url.split("?")[0] ?? ""}.`,
    );
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.code === "internal")
      options.log.error("request.failed", { requestId: request.id, error });
    sendProblem(problem, request, reply);
  });
  for (const routes of options.routes) routes(app);
  return app;
}

/** JSON bodies only; an empty one is no body, so that `POST …/enable` with a content type but nothing in it is fine. */
function readJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i,
    { parseAs: "string" },
    (request, body, done) => {
      if (body === "") done(null, undefined);
      else void parseJson(request, String(body), done);
    },
  );
}

/** A caller's own id is taken over when it cannot harm a log line. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given)
    ? given
    : randomUUID();
}

/** Whether an `authorization` header carries the key. Hashes of equal length are compared, in constant time, so that neither length nor prefix leaks. */
export function createKeyCheck(
  adminKey: string,
): (authorization: string | undefined) => boolean {
  const digestOf = (text: string): Buffer =>
    createHash("sha256").update(text).digest();
  const expected = digestOf(adminKey);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(digestOf(given), expected);
  };
}

function unauthenticated(): ProblemError {
  return new ProblemError(
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

/** Fastify's own refusals, by their code. */
const FRAMEWORK_PROBLEMS: Readonly<Record<string, ProblemKind>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
};

function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { code, statusCode, message } = error as {
    code?: string;
    statusCode?: number;
    message?: string;
  };
  const isCallers =
    statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (!isCallers)
    return new ProblemError(
      "internal",
      "The fault is in Postrider's log under this request id.",
      { cause: error },
    );
  return new ProblemError(
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
      cause: error,
    },
  );
}

/** What is needed of a reply, whatever its generics. */
interface ProblemReply {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: Buffer): unknown;
}

function sendProblem(
  problem: ProblemError,
  request: { readonly id: string },
  reply: ProblemReply,
): void {
  reply.code(problem.status);
  reply.headers({ ...problem.headers, "content-type": PROBLEM_MEDIA_TYPE });
  // fastify would add a charset to a text, which the media type has not
  reply.send(Buffer.from(JSON.stringify(problem.document(request.id))));
}

const BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** One line and one observation a request; the route's pattern, never the URL or a body. */
function observe(
  { log, meter }: ServerOptions,
  request: FastifyRequest,
  done: { readonly statusCode: number; readonly durationMs: number },
): void {
  const route = request.routeOptions.url ?? "none";
  const labels = {
    method: request.method,
    route,
    status: String(done.statusCode),
  };
  meter
    .histogram(
      "postrider_control_request_seconds",
      "Requests to the API, by route and status.",
      BUCKETS,
      ["method", "route", "status"],
    )
    .observe(done.durationMs / 1000, labels);
  log.info("request.answered", { requestId: request.id, ...labels, ...done });
}
