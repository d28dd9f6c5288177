/** Stands before an HTTP server (a schema registry) and makes its faults: it is gone, silent, slow, answers for it, or breaks its answers off. What it lets through reaches the real server. */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

export type HttpFault =
  | { readonly kind: "none" }
  /** It answers in the server's place. */
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  /** Requests are taken and never answered. */
  | { readonly kind: "silent" }
  | { readonly kind: "slow"; readonly delayMs: number }
  /** The connection ends in the middle of the answer. */
  | { readonly kind: "broken" };

/** A request that arrived. `at` and `endedAt` are monotonic ms. */
export interface ProxiedRequest {
  readonly path: string;
  readonly at: number;
  endedAt: number | null;
}

export interface HttpFaultProxy {
  /** The server's URL, through the proxy; stays the same while it is gone. */
  readonly url: string;
  /** All requests that arrived, in order. */
  readonly requests: readonly ProxiedRequest[];
  /** The fault from now on, for the requests whose path matches `of`. Default: all. */
  fault(fault: HttpFault, of?: RegExp): void;
  /** Nobody listens any more; open connections are reset. */
  vanish(): Promise<void>;
  /** Listens again, on the same port. */
  appear(): Promise<void>;
  close(): Promise<void>;
}

/** With `isGone` nobody listens at first. */
export async function startHttpFaultProxy(
  target: string,
  { isGone = false }: { readonly isGone?: boolean } = {},
): Promise<HttpFaultProxy> {
  const { origin, pathname } = new URL(target);
  const requests: ProxiedRequest[] = [];
  let now: { readonly fault: HttpFault; readonly of: RegExp } = {
    fault: { kind: "none" },
    of: /^/,
  };
  let server: Server | null = null;
  let port = 0;

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const seen: ProxiedRequest = { path, at: performance.now(), endedAt: null };
    requests.push(seen);
    response.once("close", () => (seen.endedAt = performance.now()));
    const fault = now.of.test(path) ? now.fault : { kind: "none" as const };
    switch (fault.kind) {
      case "silent":
        return;
      case "answer":
        request.resume();
        response.writeHead(fault.status, { "content-type": "text/html" });
        return void response.end(fault.body);
      case "slow":
        setTimeout(() => forward(request, response), fault.delayMs).unref();
        return;
      case "broken":
        request.resume();
        response.writeHead(200, { "content-length": "1000" });
        // So that the head and a part of the body have left before the end.
        response.write("{", () => response.destroy());
        return;
      case "none":
        forward(request, response);
    }
  }

  function forward(request: IncomingMessage, response: ServerResponse): void {
    const { host: _, connection: __, ...headers } = request.headers;
    const behind = httpRequest(
      `${origin}${request.url ?? "/"}`,
      { method: request.method, headers, agent: false },
      (answer) => {
        if (response.destroyed) return void answer.destroy();
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        pipeline(answer, response, () => undefined);
      },
    );
    pipeline(request, behind, () => undefined);
    behind.on("error", () => response.destroy());
  }

  async function appear(): Promise<void> {
    if (server !== null) return;
    server = createServer(serve).listen(port, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo); // a server that listens on TCP has an AddressInfo
  }

  async function vanish(): Promise<void> {
    const open = server;
    server = null;
    if (open === null) return;
    const closed = once(open, "close");
    open.close();
    open.closeAllConnections();
    await closed;
  }

  await appear();
  if (isGone) await vanish();
  return {
    url: `http://127.0.0.1:${port}${pathname}`,
    requests,
    fault(fault, of = /^/) {
      now = { fault, of };
    },
    vanish,
    appear,
    close: vanish,
  };
}

/** How many of the requests were under way at once, at most. */
export function mostAtOnce(requests: readonly ProxiedRequest[]): number {
  return Math.max(
    0,
    ...requests.map(
      ({ at }) =>
        requests.filter(
          (one) => one.at <= at && (one.endedAt === null || one.endedAt > at),
        ).length,
    ),
  );
}
