import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

/** One connection to a raw receiver. `request` resolves to the exact bytes of the next request, headers and body. */
export interface RawConnection {
  readonly socket: Socket;
  /** Which connection of this receiver it is, from 1. */
  readonly number: number;
  /** Resolves when the next request is complete by its content-length; rejects when the sender closes before. */
  request(): Promise<Buffer>;
}

export interface RawReceiverOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses a free port. */
  readonly port?: number;
  /** Serve https. `stall`: the URL says https, and no handshake is ever answered. */
  readonly tls?: TlsOptions | "stall" | undefined;
  /** Called for each connection, before any handshake. */
  readonly onConnection?: (number: number) => void;
  /** Called with each complete request, whether the behaviour asks for it or not. */
  readonly onRequest?: (request: Buffer, connection: number) => void;
  /** Whether the bytes of connections are kept for `received`. Default true; with false a receiver may run for days. */
  readonly keepsBytes?: boolean;
}

export interface RawReceiver {
  readonly url: string;
  readonly port: number;
  connections(): number;
  /** All bytes of each connection, in the order of connecting. */
  received(): Buffer[];
  close(): Promise<void>;
}

/** A TCP server whose answers are exactly what `behave` writes: for endpoints that break HTTP. */
export async function startRawReceiver(
  behave: (connection: RawConnection) => void | Promise<void>,
  options: RawReceiverOptions = {},
): Promise<RawReceiver> {
  const { host = "127.0.0.1", tls, onConnection, onRequest } = options;
  const open = new Set<Socket>();
  /** By the sender's port, because a TLS socket is another object than the connection below it. */
  const numbers = new Map<number | undefined, number>();
  const seen: Buffer[][] = [];
  let count = 0;
  const opened = (socket: Socket): void => {
    // What a behaviour writes in pieces must travel in pieces.
    socket.setNoDelay(true);
    open.add(socket);
    numbers.set(socket.remotePort, (count += 1));
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => undefined);
    onConnection?.(count);
  };
  const serve = (socket: Socket): void => {
    const number = numbers.get(socket.remotePort) ?? count;
    if (options.keepsBytes !== false) {
      const chunks: Buffer[] = [];
      seen.push(chunks);
      socket.on("data", (chunk) => chunks.push(chunk));
    }
    socket.on("error", () => undefined);
    const request = requestReader(socket, (bytes) =>
      onRequest?.(bytes, number),
    );
    void Promise.resolve(
      behave({ socket, number, request }),
      // When the sender gives up, the behaviour rejects, and the connection is over.
    ).catch(() => socket.destroy());
  };
  const server =
    tls === undefined || tls === "stall"
      ? createServer(serve)
      : createTlsServer(tls, serve).on("tlsClientError", () => undefined);
  // Before `serve`, so that a connection has its number when it is served.
  server.prependListener("connection", opened);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    port,
    connections: () => count,
    received: () => seen.map((chunks) => Buffer.concat(chunks)),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function requestReader(
  socket: Socket,
  onRequest: (request: Buffer) => void,
): () => Promise<Buffer> {
  let rest = Buffer.alloc(0);
  const requests: Buffer[] = [];
  let wake: () => void = () => undefined;
  let isOver = false;
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = endOfRequest(rest); end !== null; end = endOfRequest(rest)) {
      const request = rest.subarray(0, end);
      rest = rest.subarray(end);
      requests.push(request);
      onRequest(request);
    }
    wake();
  });
  socket.on("close", () => {
    isOver = true;
    wake();
  });
  return async () => {
    for (;;) {
      const request = requests.shift();
      if (request !== undefined) return request;
      if (isOver) throw new Error("the sender closed before a whole request");
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}

/** The index at which the first request ends, by its content-length; null while it is incomplete. */
function endOfRequest(bytes: Buffer): number | null {
  const head = bytes.indexOf("\r\n\r\n");
  if (head === -1) return null;
  const text = bytes.toString("latin1", 0, head);
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  const end = head + 4 + length;
  return bytes.length >= end ? end : null;
}
