/** Ways in which an endpoint breaks HTTP, for `startRawReceiver`. Malformed answers are made with `saying`. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RawConnection } from "./raw-receiver.ts";

type Behaviour = (connection: RawConnection) => Promise<void>;

/** Answers each request of the connection with these bytes, valid HTTP or not. */
export function saying(response: string | Buffer): Behaviour {
  return async ({ socket, request }) => {
    for (;;) {
      await request();
      socket.write(response);
    }
  };
}

/** Accepts the connection and never answers. */
export const silence: Behaviour = async () => undefined;

/** Resets the connection (RST) as soon as the request has come. */
export const resetAfterRequest: Behaviour = async ({ socket, request }) => {
  await request();
  socket.resetAndDestroy();
};

/** Ends the connection (FIN) as soon as the request has come. */
export const closeAfterRequest: Behaviour = async ({ socket, request }) => {
  await request();
  socket.end();
};

/** Sends `head`, then `part` every `everyMs` for ever, so that no idle timeout ends it. */
export function dripping(
  head: string,
  part: string,
  everyMs: number,
): Behaviour {
  return async ({ socket, request }) => {
    await request();
    socket.write(head);
    while (!socket.destroyed) {
      socket.write(part);
      await sleep(everyMs, undefined, { ref: false });
    }
  };
}

/** Sends a body at one byte every 50 ms. */
export const drippingBody: Behaviour = dripping(
  "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
  "x",
  50,
);

/** Sends `103 Early Hints` for ever. */
export const endlessEarlyHints: Behaviour = dripping(
  "",
  "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
  50,
);

/** Sends a body that never ends, as fast as it is read. */
export const endlessBody: Behaviour = async ({ socket, request }) => {
  await request();
  socket.write("HTTP/1.1 200 OK\r\n\r\n");
  const block = Buffer.alloc(64 * 1024, "x");
  while (!socket.destroyed) {
    if (!socket.write(block))
      await new Promise((resolve) => {
        socket.once("drain", resolve);
        socket.once("close", resolve);
      });
  }
};
