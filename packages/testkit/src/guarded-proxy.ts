/** Stands before a server that knows neither TLS nor users (a local ClickHouse or registry), and asks for both: what it lets through reaches the real server. */
import { once } from "node:events";
import {
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { Certificate } from "./certificate.ts";

export interface GuardedProxyOptions {
  /** The URL of the server behind. */
  readonly target: string;
  readonly certificate: Certificate;
  /** The authority of clients' certificates; then each client must have one. */
  readonly clientCa?: string;
}

export interface GuardedProxy {
  readonly url: string;
  /** The only `authorization` that is let through from now on. At first: any, and none. */
  admit(authorization: string): void;
  /** New connections see this certificate, and those that are open are closed. */
  present(certificate: Certificate): void;
  close(): Promise<void>;
}

export async function startGuardedProxy(
  options: GuardedProxyOptions,
): Promise<GuardedProxy> {
  const { target, certificate, clientCa } = options;
  let admitted: string | null = null;
  const server = createServer(
    {
      ...certificate,
      ...(clientCa !== undefined && { ca: clientCa, requestCert: true }),
    },
    (request, response) => {
      if (admitted === null || request.headers.authorization === admitted)
        forward(target, request, response);
      else refuse(request, response);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a server that listens on TCP has an AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    admit: (authorization) => {
      admitted = authorization;
    },
    present(other) {
      server.setSecureContext(other);
      server.closeAllConnections();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function forward(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { authorization: _, host: __, ...headers } = request.headers;
  const { method } = request;
  const behind = httpRequest(
    `${target.replace(/\/$/, "")}${request.url ?? "/"}`,
    { method, headers },
    (answer) => {
      if (response.destroyed) return void answer.destroy();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, response, () => undefined);
    },
  );
  pipeline(request, behind, () => undefined);
  behind.on("error", () => response.destroy());
}

/** As ClickHouse refuses; of a registry the status is enough. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response
    .writeHead(401, { "x-clickhouse-exception-code": "516" })
    .end(
      "Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)",
    );
}
