import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor, type WaitOptions } from "./wait-for.ts";

/** One request as it came: `body` is its exact bytes. */
export interface ReceivedRequest {
  /** Epoch milliseconds of its last byte. */
  readonly at: number;
  /** 1-based: which TCP connection of this receiver it came over. */
  readonly connection: number;
  readonly method: string;
  /** The request target, with its query. */
  readonly path: string;
  /** Names in lower case; a repeated header's values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name, value, name, value …, as they stood on the wire. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What to answer: a status, or more; or no answer at all. */
export type Answer =
  | number
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
      /** Wait so long before the answer. */
      readonly delayMs?: number;
    }
  /** Say nothing and keep the connection. */
  | "hang"
  /** RST. */
  | "reset"
  /** FIN without an answer. */
  | "close";

/** `nth` is 1 for the first request that this answers. */
export type Script =
  | Answer
  | readonly Answer[]
  | ((request: ReceivedRequest, nth: number) => Answer | Promise<Answer>);

export interface ReceiverOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Default 200. Of a list each request takes the next, and the last stays. */
  readonly answer?: Script;
  /** Called with each request before it is answered. */
  readonly onRequest?: (request: ReceivedRequest) => void;
  /** Whether `requests` holds them; default true. Without, a receiver may run for days. */
  readonly keepsRequests?: boolean;
}

export interface Receiver {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** In the order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /** TCP connections so far. */
  connections(): number;
  /** From now on. A list starts at its beginning. */
  answerWith(script: Script): void;
  /** Resolves with all requests once there are `count`, or `count` that `where` accepts. */
  waitForRequests(
    count: number,
    options?: WaitOptions & {
      readonly where?: (request: ReceivedRequest) => boolean;
    },
  ): Promise<ReceivedRequest[]>;
  /** Ends the connections over which nothing is being asked. */
  closeIdle(): void;
  /** Ends every connection and stops listening. Twice is safe. */
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
      // The sender went away in the middle: there is nobody to answer.
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
