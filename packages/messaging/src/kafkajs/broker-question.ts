/** Asks a broker whether it is there: an ApiVersions request over a connection of its own, which needs no login. */
import type { Socket } from "node:net";

/** Version 0, which every broker answers: length, key 18, version, correlation id, no client id. */
const API_VERSIONS = Buffer.from("0000000a0012000000000000ffff", "hex");
/** A broker whose requests queue up answers late. One that answers nothing for so long is about to lose its leases, too. */
const PATIENCE_MS = 4000;

/** Whether any byte came back within 4 s. `connect` opens the connection and calls back once it can be written to. Never rejects. */
export async function isAnswering(
  connect: (onConnect: () => void) => Socket,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let socket: Socket;
  try {
    socket = connect(() => socket.write(API_VERSIONS));
  } catch {
    // A certificate's file that cannot be read, for instance.
    return false;
  }
  const timer = setTimeout(() => resolve(false), PATIENCE_MS).unref();
  socket
    .once("data", () => resolve(true))
    .once("close", () => resolve(false))
    .on("error", () => resolve(false));
  const isHeard = await promise;
  clearTimeout(timer);
  socket.destroy();
  return isHeard;
}
