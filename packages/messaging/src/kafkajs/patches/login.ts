/** kafkajs 2.2.4 forgets a login that is under way when its connection fails: it waits for ever, and every later connection to that broker waits for it. So we end it with the connection. */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface Connection {
  /** Those of the login step that waits for its answer. */
  readonly authHandlers: { onError(): void } | null;
  /** Called when the connection fails. */
  rejectRequests(error: Error): void;
}

export function registerLogin(): void {
  const { prototype: connection } = load("kafkajs/src/network/connection") as {
    prototype: Connection;
  };
  const { rejectRequests } = connection;
  connection.rejectRequests = function (this: Connection, error) {
    this.authHandlers?.onError();
    rejectRequests.call(this, error);
  };
}
