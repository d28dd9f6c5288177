/** A TCP proxy that loses answers (the request arrives, its answer does not), or makes ClickHouse read-only. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** From now on, and `times` times, the connection is reset as soon as the server answers a request that contains `request`. */
  loseAnswers(request: string, times: number): void;
  /** Whether ClickHouse is told, from now on, to refuse everything but reads. It then answers code 164. */
  readOnly(isReadOnly: boolean): void;
  /** How many answers were lost. */
  lost(): number;
  close(): Promise<void>;
}

export async function startTcpProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let wanted = "";
  let left = 0;
  let lost = 0;
  let isReadOnly = false;
  const server = createServer((client) => {
    const upstream = connect(target);
    let isAsked = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk) => {
      isAsked ||= left > 0 && chunk.includes(wanted);
      upstream.write(isReadOnly ? asReader(chunk) : chunk);
    });
    upstream.on("data", (chunk) => {
      if (!isAsked || left === 0) return void client.write(chunk);
      left -= 1;
      lost += 1;
      client.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port, // a server that listens on TCP has an AddressInfo
    loseAnswers: (request, times) => {
      wanted = request;
      left = times;
    },
    readOnly: (isNow) => {
      isReadOnly = isNow;
    },
    lost: () => lost,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const REQUEST_LINE = "POST /?";

/** Adds `readonly` to the URL's query, from which ClickHouse takes settings. Relies on a keep-alive client starting each request in a new chunk. */
function asReader(chunk: Buffer): Buffer {
  if (!chunk.subarray(0, REQUEST_LINE.length).equals(Buffer.from(REQUEST_LINE)))
    return chunk;
  const rest = chunk.subarray(REQUEST_LINE.length);
  return Buffer.concat([Buffer.from(`${REQUEST_LINE}readonly=1&`), rest]);
}
