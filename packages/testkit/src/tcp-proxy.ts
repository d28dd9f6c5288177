/** A TCP proxy that loses answers: what was asked arrives, what is answered does not. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** From now on the connection is reset as soon as the server answers a request in which `request` occurs, `times` times. */
  loseAnswers(request: string, times: number): void;
  /** How many were lost. */
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
      upstream.write(chunk);
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
    port: (server.address() as AddressInfo).port, // it listens on TCP
    loseAnswers: (request, times) => {
      wanted = request;
      left = times;
    },
    lost: () => lost,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
