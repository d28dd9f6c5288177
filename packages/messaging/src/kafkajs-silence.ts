/**
 * A broker that does not answer within the request timeout is taken for gone: its connection is closed, and the caller is
 * told so.
 *
 * kafkajs 2.2.4 learns who leads a partition anew when a connection ends, not when a request times out: it asks the same
 * silent broker again and again, until its metadata is 5 minutes old. A machine that is lost (no process left to close its
 * connections) would hold up every partition that it led for as long, though another broker leads them within seconds.
 */
interface Connection {
  readonly host: string;
  readonly port: number;
  readonly socket: { destroy(): void } | null;
  send(request: unknown): Promise<unknown>;
  rejectRequests(error: Error): void;
  disconnect(): Promise<unknown>;
}

type ConnectionClosed = new (
  message: string,
  place: { readonly host: string; readonly port: number },
) => Error;

/** For every client of this process. Call once. */
export function giveUpSilentBrokers(
  connection: { readonly prototype: Connection },
  ConnectionClosedError: ConnectionClosed,
): void {
  const { prototype } = connection;
  // Called below with the connection it belongs to.
  // oxlint-disable-next-line unbound-method
  const { send } = prototype;
  prototype.send = async function (this: Connection, request) {
    const { socket } = this;
    try {
      return await send.call(this, request);
    } catch (error) {
      if (!isTimeout(error)) throw error;
      const { host, port } = this;
      const closed = new ConnectionClosedError(
        `${error.message}: the broker is silent, its connection is closed`,
        { host, port },
      );
      closed.cause = error;
      // Of several that time out together the first closes it; by the second there may be a new one.
      if (this.socket === socket) {
        // What else waits for it would wait in vain, and `disconnect` would wait for that.
        this.rejectRequests(closed);
        socket?.destroy();
        await this.disconnect();
      }
      throw closed;
    }
  };
}

function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.name === "KafkaJSRequestTimeoutError";
}
