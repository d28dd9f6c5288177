/** The pieces of which `misbehaviours/` is made: ways in which an endpoint breaks HTTP, for `startRawReceiver`. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "@postrider/core";
import type { RawConnection, RawReceiverOptions } from "./raw-receiver.ts";

export type Behaviour = (connection: RawConnection) => void | Promise<void>;

/** One way in which an endpoint misbehaves. `postrider receiver --behaviour NAME` offers each. */
export interface Misbehaviour {
  /** What the endpoint does, as the rest of a sentence that begins with its name. */
  readonly does: string;
  /** What an attempt to it comes to. */
  readonly outcome: Outcome;
  readonly behave: Behaviour;
  /** Makes the certificate and the TLS settings of an endpoint that is called by https. */
  readonly tls?: () => RawReceiverOptions["tls"];
}

/** A small answer without a flaw. */
export const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** Answers each request of the connection with these bytes, valid HTTP or not. */
export function saying(response: string | Buffer): Behaviour {
  return async ({ socket, request }) => {
    for (;;) {
      await request();
      socket.write(response);
    }
  };
}

/** Answers the first request with these bytes, then ends the connection (FIN). */
export function sayingLast(response: string): Behaviour {
  return async ({ socket, request }) => {
    await request();
    socket.end(response);
  };
}

/** Accepts the connection and never answers. */
export const silence: Behaviour = () => undefined;

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

/** Sends `head`, then `block` for ever, as fast as it is read. */
export function flooding(head: string, block: string): Behaviour {
  return async ({ socket, request }) => {
    await request();
    socket.write(head);
    const bytes = Buffer.from(block);
    while (!socket.destroyed) {
      if (!socket.write(bytes))
        await new Promise<void>((resolve) => {
          const go = (): void => {
            socket.off("drain", go).off("close", go);
            resolve();
          };
          socket.on("drain", go).on("close", go);
        });
    }
  };
}

/** Sends a body without a length that never ends, as fast as it is read. */
export const endlessBody: Behaviour = flooding(
  "HTTP/1.1 200 OK\r\n\r\n",
  "x".repeat(64 * 1024),
);
