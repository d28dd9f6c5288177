import { createServer, type AddressInfo, type Socket } from "node:net";

/** One connection to a raw receiver. `request` resolves to the exact bytes of the next request, headers and body. */
export interface RawConnection {
  readonly socket: Socket;
  /** Which connection of this receiver it is, from 1. */
  readonly number: number;
  /** Resolves when the next request is complete by its content-length; rejects when the sender closes before. */
  request(): Promise<Buffer>;
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
): Promise<RawReceiver> {
  const seen: { socket: Socket; chunks: Buffer[] }[] = [];
  const server = createServer((socket) => {
    // What a behaviour writes in pieces must travel in pieces.
    socket.setNoDelay(true);
    const chunks: Buffer[] = [];
    seen.push({ socket, chunks });
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => undefined);
    const request = requestReader(socket);
    void Promise.resolve(
      behave({ socket, number: seen.length, request }),
      // When the sender gives up, the behaviour rejects, and the connection is over.
    ).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: () => seen.length,
    received: () => seen.map(({ chunks }) => Buffer.concat(chunks)),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { socket } of seen) socket.destroy();
      await closed;
    },
  };
}

function requestReader(socket: Socket): () => Promise<Buffer> {
  let rest = Buffer.alloc(0);
  let wake: () => void = () => undefined;
  let isOver = false;
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    wake();
  });
  socket.on("close", () => {
    isOver = true;
    wake();
  });
  return async () => {
    for (;;) {
      const end = endOfRequest(rest);
      if (end !== null) {
        const request = rest.subarray(0, end);
        rest = rest.subarray(end);
        return request;
      }
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
