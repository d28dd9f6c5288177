/** A TCP proxy before one Kafka broker, which can fall silent or go away for those who use it. Clients stay with it: it puts its own port into answers that name the broker's. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface KafkaProxy {
  /** What a client is given as its broker. */
  readonly broker: string;
  /** Whether, from now on, nothing passes in either direction; connections stay open. */
  hold(isHeld: boolean): void;
  /** Whether, from now on, the answer to who coordinates a group is that nobody does. */
  lackCoordinators(isLacking: boolean): void;
  /** Whether, from now on, every connection is closed, and each new one at once. */
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

const FIND_COORDINATOR = 10;
const COORDINATOR_NOT_AVAILABLE = 15;

/** `broker`: host and port, as the broker itself tells them to clients. */
export async function startKafkaProxy(broker: string): Promise<KafkaProxy> {
  const colon = broker.lastIndexOf(":");
  const host = broker.slice(0, colon);
  const port = Number(broker.slice(colon + 1));
  const sockets = new Set<Socket>();
  let isHeld = false;
  let isCut = false;
  let isLacking = false;
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const upstream = connect({ host, port });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      if (isHeld) socket.pause();
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      // Relies on this request having a chunk to itself, as that of a kafkajs client without other work has.
      if (isLacking && chunk.readInt16BE(4) === FIND_COORDINATOR)
        client.write(noCoordinator(chunk.readInt32BE(8)));
      else upstream.write(chunk);
    });
    upstream.on("data", (chunk) => client.write(withPort(chunk)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = (server.address() as AddressInfo).port; // a server that listens on TCP has an AddressInfo
  const theirs = addressIn(host, port);

  /** An answer's address is the host's text and then the port in four bytes. Relies on no answer being cut between the two, as small ones are not. */
  function withPort(chunk: Buffer): Buffer {
    for (
      let at = chunk.indexOf(theirs);
      at !== -1;
      at = chunk.indexOf(theirs, at + 1)
    )
      chunk.writeInt32BE(own, at + theirs.length - 4);
    return chunk;
  }

  return {
    broker: `127.0.0.1:${own}`,
    hold(isNow) {
      isHeld = isNow;
      for (const socket of sockets) {
        if (isNow) socket.pause();
        else socket.resume();
      }
    },
    lackCoordinators(isNow) {
      isLacking = isNow;
    },
    cut(isNow) {
      isCut = isNow;
      if (isNow) for (const socket of sockets) socket.destroy();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function addressIn(host: string, port: number): Buffer {
  const text = Buffer.from(host);
  const address = Buffer.alloc(text.length + 4);
  text.copy(address);
  address.writeInt32BE(port, text.length);
  return address;
}

/** In version 1 or 2: length, correlation id, throttle time, error, no text for it, node -1, no host, port -1. */
function noCoordinator(correlationId: number): Buffer {
  const answer = Buffer.alloc(26);
  answer.writeInt32BE(answer.length - 4, 0);
  answer.writeInt32BE(correlationId, 4);
  answer.writeInt16BE(COORDINATOR_NOT_AVAILABLE, 12);
  answer.writeInt16BE(-1, 14);
  answer.writeInt32BE(-1, 16);
  answer.writeInt32BE(-1, 22);
  return answer;
}
