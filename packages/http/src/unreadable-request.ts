/**
 * Answers requests that never reach a route: node:http could not parse them, refused them itself (a timeout, an unknown
 * `expect`), or passes them to no handler (CONNECT). Node answers these with a bare status line, or not at all. Here they
 * get problem documents.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "@postrider/runtime";
import { PROBLEM_MEDIA_TYPE, type ProblemDocument } from "./problem-error.ts";

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly detail: string;
}

const MALFORMED: Refusal = {
  status: 400,
  reason: "Bad Request",
  detail: "This is not valid HTTP.",
};
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: "Request Header Fields Too Large",
    detail: "The request's headers are too large.",
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    reason: "Content Too Large",
    detail: "The extensions of the body's chunks are too large.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: "Request Timeout",
    detail: "The request did not arrive in time.",
  },
};
const NO_TUNNEL: Refusal = {
  status: 400,
  reason: "Bad Request",
  detail: "This is no proxy: CONNECT is not answered.",
};
const UNKNOWN_EXPECTATION: Refusal = {
  status: 417,
  reason: "Expectation Failed",
  detail: "The only expectation that can be met is 100-continue.",
};

export interface UnreadableRequests {
  /** For fastify's `clientErrorHandler`. */
  onClientError(error: { readonly code?: string }, socket: Socket): void;
  /** Call for each parsed request: `response` is its answer. */
  onRequest(response: ServerResponse): void;
  /** Handles CONNECT and `expect` requests, which node answers without a problem document if nobody listens. */
  attach(server: Server): void;
}

export function answerUnreadableRequests(log: Log): UnreadableRequests {
  /** The newest response of each connection; it may not be written yet. */
  const newestResponses = new WeakMap<Duplex, ServerResponse>();
  /** Connections that have their refusal, or get it behind an answer that is owed: it is the last that they are told. */
  const refused = new WeakSet<Duplex>();

  function noted({ status: statusCode }: Refusal, code: string): string {
    const requestId = randomUUID();
    log.info("request.unreadable", { requestId, statusCode, code });
    return requestId;
  }

  function refuse(socket: Duplex, refusal: Refusal, code: string): void {
    const { status, reason } = refusal;
    const { headers, body } = answerOf(refusal, noted(refusal, code));
    const lines = Object.entries(headers).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.end(
      [`HTTP/1.1 ${status} ${reason}`, ...lines, "", body].join("\r\n"),
    );
  }

  function refuseExpectation(
    _request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const id = noted(UNKNOWN_EXPECTATION, "EXPECT");
    const { headers, body } = answerOf(UNKNOWN_EXPECTATION, id);
    response.writeHead(UNKNOWN_EXPECTATION.status, headers).end(body);
  }

  /**
   * Answers in the order of requests. If an earlier, complete request on the connection still waits for its response, that
   * response goes first. If the response to an incomplete request has begun, the connection is destroyed: two answers would
   * mix.
   */
  function answerInTurn(socket: Duplex, answer: () => void): void {
    if (refused.has(socket)) {
      // Whoever goes on behind a refusal that is written is cut off; before that, the refusal would be torn.
      if (socket.writableFinished) socket.destroy();
      return;
    }
    refused.add(socket);
    const response = newestResponses.get(socket);
    if (response === undefined || response.writableFinished) answer();
    else if (response.req.complete) response.once("close", answer);
    else if (response.headersSent) socket.destroy();
    else answer();
  }

  return {
    onRequest(response) {
      if (response.socket !== null)
        newestResponses.set(response.socket, response);
    },
    onClientError({ code = "unknown" }, socket) {
      answerInTurn(socket, () => {
        if (code === "ECONNRESET" || !socket.writable) socket.destroy();
        else refuse(socket, REFUSALS[code] ?? MALFORMED, code);
      });
    },
    attach(server) {
      server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
        socket.on("error", () => socket.destroy()); // node no longer handles errors of this socket
        answerInTurn(socket, () => refuse(socket, NO_TUNNEL, "CONNECT"));
      });
      server.on("checkExpectation", refuseExpectation);
    },
  };
}

function answerOf(
  { status, detail }: Refusal,
  requestId: string,
): { readonly headers: Record<string, string>; readonly body: string } {
  const document: ProblemDocument = {
    type: "urn:postrider:problem:bad-request",
    title: "The request cannot be read",
    status,
    detail,
    errors: [],
    requestId,
  };
  const body = JSON.stringify(document);
  const headers = {
    "content-type": PROBLEM_MEDIA_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    "x-request-id": requestId,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
  };
  return { headers, body };
}
