import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor, type WaitOptions } from "./wait-for.ts";

/** One request as it came; `body` is its exact bytes. */
export interface ReceivedRequest {
  /** When its last byte came, in epoch milliseconds. */
  readonly at: number;
  /** The number of its TCP connection to this receiver, from 1. */
  readonly connection: number;
  readonly method: string;
  /** The request target, with its query. */
  readonly path: string;
  /** Names in lower case; a repeated header's values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name, value, name, value …, exactly as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** The answer: a status, a status with more, or one of the ways not to answer. */
export type Answer =
  | number
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
      /** How long to wait before the answer. */
      readonly delayMs?: number;
    }
  /** Never answer, and keep the connection open. */
  | "hang"
  /** Reset the connection (RST). */
  | "reset"
  /** End the connection (FIN) without an answer. */
  | "close";

/** `nth` is 1 for the first request since this script was set. */
export type Script =
  | Answer
  | readonly Answer[]
  | ((request: ReceivedRequest, nth: number) => Answer | Promise<Answer>);

export interface ReceiverOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses a free port. */
  readonly port?: number;
  /** Default 200. Of a list, each request gets the next answer, and the last is repeated. */
  readonly answer?: Script;
  /** Called with each request before it is answered. */
  readonly onRequest?: (request: ReceivedRequest) => void;
  /** Whether requests are kept in `requests`. Default true; with false a receiver may run for days. */
  readonly keepsRequests?: boolean;
}

export interface Receiver {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** In the order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /** The number of TCP connections so far. */
  connections(): number;
  /** Sets the answers to requests from now on. A list starts at its beginning. */
  answerWith(script: Script): void;
  /** Resolves with all requests, once there are `count` of them, or `count` that `where` accepts. */
  waitForRequests(
    count: number,
    options?: WaitOptions & {
      readonly where?: (request: ReceivedRequest) => boolean;
    },
  ): Promise<ReceivedRequest[]>;
  /** Ends the connections on which no request is under way. */
  closeIdle(): void;
  /** Ends every connection and stops listening. Calling it twice is safe. */
  close(): Promise<void>;
}

/** An HTTP server that records each request and answers as told. */
export async function startReceiver(
  options: ReceiverOptions = {},
): Promise<Receiver> {
  const host = options.host ?? "127.0.0.1";
  const requests: ReceivedRequest[] = [];
  const connections = new Map<Socket, number>();
  let connectionCount = 0;
  let script: Script = options.answer ?? 200;
  let nth = 0;

  const server = createServer((message, response) => {
    void readRequest(message, connections.get(message.socket) ?? 0).then(
      async (request) => {
        if (options.keepsRequests !== false) requests.push(request);
        nth += 1;
        options.onRequest?.(request);
        await give(await answerOf(script, request, nth), response);
      },
      // The sender went away in the middle of its request, so there is nobody to answer.
      () => message.socket.destroy(),
    );
  });
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    connections.set(socket, (connectionCount += 1));
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    requests,
    connections: () => connectionCount,
    answerWith: (next) => {
      script = next;
      nth = 0;
    },
    waitForRequests: async (count, { where, ...wait } = {}) =>
      await waitFor(
        () => {
          const found = where ? requests.filter(where) : [...requests];
          return found.length >= count ? found : null;
        },
        { what: `${count} requests at port ${port}`, ...wait },
      ),
    closeIdle: () => server.closeIdleConnections(),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of connections.keys()) socket.destroy();
      await closed;
    },
  };
}

async function readRequest(
  message: IncomingMessage,
  connection: number,
): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headersDistinct))
    headers[name] = (value ?? []).join(", ");
  return {
    at: Date.now(),
    connection,
    method: message.method ?? "",
    path: message.url ?? "",
    headers,
    rawHeaders: message.rawHeaders,
    body: Buffer.concat(chunks),
  };
}

async function answerOf(
  script: Script,
  request: ReceivedRequest,
  nth: number,
): Promise<Answer> {
  if (typeof script === "function") return await script(request, nth);
  if (isList(script)) return script[Math.min(nth, script.length) - 1] ?? 200;
  return script;
}

function isList(script: Script): script is readonly Answer[] {
  return Array.isArray(script);
}

async function give(answer: Answer, response: ServerResponse): Promise<void> {
  const { socket } = response;
  if (answer === "hang" || socket === null) return;
  if (answer === "reset") return void socket.resetAndDestroy();
  if (answer === "close") return void socket.end();
  const {
    status = 200,
    headers,
    body,
    delayMs = 0,
  } = typeof answer === "number" ? { status: answer } : answer;
  if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
  if (socket.destroyed) return;
  response.writeHead(status, headers);
  response.end(body);
}
