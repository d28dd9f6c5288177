import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { Clock, Lifecycle, Log } from "@postrider/runtime";
import fastify, { type FastifyInstance } from "fastify";
import { createKeyCheck } from "./bearer-key.ts";
import { answerClientError } from "./client-error.ts";
import {
  CommonProblem,
  PROBLEM_MEDIA_TYPE,
  ProblemError,
  type COMMON_KINDS,
} from "./problem-error.ts";

/** A piece of an API: adds its routes, hooks and parsers. */
export type Routes = (app: FastifyInstance) => void;

export interface ApiServerOptions {
  /** Begins the name of the log line that says where the server listens: `door` gives `door.listening`. */
  readonly name: string;
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly adminKey: string;
  readonly maxBodyBytes: number;
  readonly routes: readonly Routes[];
  /** Comes behind "There is no GET /x" where a route is not known. */
  readonly unknownRoute?: string;
  /** Every request that was answered, whatever the answer. */
  readonly onAnswered: (answered: AnsweredRequest) => void;
  readonly log: Log;
  readonly clock: Clock;
}

export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, never the URL; `none` where there is no such route. */
  readonly route: string;
  readonly statusCode: number;
  /** From the request's headers to the end of its answer. */
  readonly elapsedMs: number;
}

/** An HTTP server of an API: `url()` is where it listens, once started. */
export interface ApiServer extends Lifecycle {
  url(): string;
  isListening(): boolean;
  /** For tests that need no socket. */
  readonly app: FastifyInstance;
}

/**
 * Every request needs the admin key, unknown routes too (deny by default); every answer other than success is a problem
 * document. `stop` lets requests end until the deadline, then closes their connections.
 */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const app = createApp(options);
  let origin = "";
  return {
    app,
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
      const late = setTimeout(
        () => app.server.closeAllConnections(),
        Math.max(0, deadline - options.clock.now()),
      );
      await app.close();
      clearTimeout(late);
    },
  };
}

function createApp(options: ApiServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
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
  const hasKey = createKeyCheck(options.adminKey);
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-request-id", request.id);
    void reply.header("cache-control", "no-store");
    if (!hasKey(request.headers.authorization)) throw unauthenticated();
  });
  app.addHook("onResponse", async (request, reply) => {
    options.onAnswered({
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? "none",
      statusCode: reply.statusCode,
      elapsedMs: reply.elapsedTime,
    });
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split("?")[0] ?? "";
    throw new CommonProblem(
      "not_found",
      `There is no ${request.method} ${path}${options.unknownRoute ?? "."}`,
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

/** A caller's own id is taken over when it cannot harm a log line. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given)
    ? given
    : randomUUID();
}

function unauthenticated(): CommonProblem {
  return new CommonProblem(
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
const FRAMEWORK_PROBLEMS: Readonly<Record<string, keyof typeof COMMON_KINDS>> =
  {
    FST_ERR_CTP_BODY_TOO_LARGE: "too_large",
    FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  };

function problemOf(error: unknown): ProblemError<string> {
  if (error instanceof ProblemError) return error;
  const { code, statusCode, message } = error as {
    code?: string;
    statusCode?: number;
    message?: string;
  };
  const isCallers =
    statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (!isCallers)
    return new CommonProblem(
      "internal",
      "The fault is in Postrider's log under this request id.",
      { cause: error },
    );
  return new CommonProblem(
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
  problem: ProblemError<string>,
  request: { readonly id: string },
  reply: ProblemReply,
): void {
  reply.code(problem.status);
  reply.headers({ ...problem.headers, "content-type": PROBLEM_MEDIA_TYPE });
  // fastify would add a charset to a text, which the media type has not
  reply.send(Buffer.from(JSON.stringify(problem.document(request.id))));
}
