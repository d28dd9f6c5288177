/** Replaces the two timers of kafkajs 2.2.4's RequestQueue. Each connection has one. */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface RequestQueue {
  /** `host:port` */
  readonly broker: string;
  readonly isConnected: () => boolean;
  /** The requests without an answer. */
  readonly inflight: ReadonlyMap<number, SocketRequest>;
  readonly pending: readonly unknown[];
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  destroy(): void;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}

interface SocketRequest {
  readonly sentAt: number;
  /** ms; for a JoinGroup more than a minute. */
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** So long a broker may keep any request waiting before it is asked whether it is there, ms: less than the request timeout (5 s). */
const LATE_MS = 3000;
/** Each check wakes an idle process, ms. */
const CHECK_EVERY_MS = 500;

const listeners = new Set<(broker: string) => void>();

/** Calls the listener twice a second with the address (`host:port`) of each broker that has not answered a request for 3 s, for any client of this process, for its whole life. */
export function onLateAnswer(listener: (broker: string) => void): void {
  listeners.add(listener);
}

export function registerRequestQueue(): void {
  const { prototype: queue } = load("kafkajs/src/network/requestQueue") as {
    prototype: RequestQueue;
  };

  // Without this patch every connection wakes the process up to a thousand times a second, for ever (docs/kafkajs.md, "Timers and sockets").
  queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0)
      return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), 10),
    );
  };

  // kafkajs has a timer for each connection, and a process has dozens of connections. One timer checks all of them here, and
  // tells of late answers (docs/kafkajs.md, "A silent broker").
  queue.scheduleRequestTimeoutCheck = function (this: RequestQueue) {
    this.destroy();
    checked.add(this);
    timer ??= setInterval(checkAll, CHECK_EVERY_MS);
  };

  const { destroy } = queue;
  queue.destroy = function (this: RequestQueue) {
    destroy.call(this);
    checked.delete(this);
    if (checked.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The queues of all connections that are open. */
const checked = new Set<RequestQueue>();
let timer: NodeJS.Timeout | undefined;

function checkAll(): void {
  const now = Date.now();
  for (const queue of checked) {
    for (const request of queue.inflight.values()) {
      const waitedMs = now - request.sentAt;
      if (waitedMs > LATE_MS)
        for (const listener of listeners) listener(queue.broker);
      if (waitedMs > request.requestTimeout) request.timeoutRequest();
    }
    if (!queue.isConnected()) queue.destroy();
  }
}
