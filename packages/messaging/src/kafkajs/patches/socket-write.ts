/** Lets the sockets of kafkajs 2.2.4 write requests in several pieces (request-head.ts), each piece from where it lies in memory. */
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { piecesBehind } from "./request-head.ts";

// kafkajs is CommonJS: load it with `require`, so that the patched class is the one that its clients use.
const load = createRequire(import.meta.url);

/** Installs the patch for every client of this process. Call once (patch-kafkajs.ts). */
export function registerSocketWrite(): void {
  const { prototype } = load("kafkajs/src/network/connection") as {
    prototype: object;
  };
  const sockets = new WeakMap<object, Socket>();
  // A connection sets its field when it opens a socket, and again for each new one.
  Object.defineProperty(prototype, "socket", {
    get: function (this: object) {
      return sockets.get(this);
    },
    set: function (this: object, socket: Socket) {
      sockets.set(this, writingPieces(socket));
    },
  });
}

/** The same socket; its `write` writes what belongs behind the bytes, too, all in one call of the system. It takes no callback: kafkajs gives none. */
export function writingPieces(socket: Socket): Socket {
  const write = socket.write.bind(socket);
  socket.write = (bytes: Uint8Array | string) => {
    if (typeof bytes === "string") return write(bytes);
    const rest = piecesBehind(bytes);
    if (rest.length === 0) return write(bytes);
    socket.cork();
    write(bytes);
    for (const piece of rest) write(piece);
    socket.uncork();
    return !socket.writableNeedDrain;
  };
  return socket;
}
