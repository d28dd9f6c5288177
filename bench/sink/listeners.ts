/** The sink's listening ports, which can be shut: then connections are refused, and those that are open are closed. */
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";

export interface Listeners {
  readonly ports: readonly number[];
  /** Refuses connections at once, and closes those that are open once `settled` has resolved. */
  shut(settled: () => Promise<void>): Promise<void>;
  open(): Promise<void>;
}

/** `first`: the first of `count` ports that follow each other; 0: any free ports. */
export async function listen(
  { first, count }: { readonly first: number; readonly count: number },
  onSocket: (socket: Socket) => void,
): Promise<Listeners> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onSocket(socket);
  };
  const wanted = Array.from({ length: count }, (_, i) => first && first + i);
  const start = async (port: number): Promise<Server> => {
    const server = createServer({ noDelay: true }, accept);
    // This address and not a name such as `localhost`, because senders connect to 127.0.0.1.
    server.listen(port, "127.0.0.1", 4096);
    await once(server, "listening");
    return server;
  };
  let servers = await Promise.all(wanted.map(start));
  const ports = servers.map(portOf);
  return {
    ports,
    async shut(settled) {
      const closed = servers.map((server) => once(server, "close"));
      for (const server of servers) server.close();
      await settled();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      servers = [];
    },
    async open() {
      servers = await Promise.all(ports.map(start));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}
