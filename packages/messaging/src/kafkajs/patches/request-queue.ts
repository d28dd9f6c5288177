/** Replaces the two timers of kafkajs 2.2.4's RequestQueue; each connection has one. */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface RequestQueue {
  /** `host:port` */
  readonly broker: string;
  readonly requestTimeout: number;
  readonly isConnected: () => boolean;
  /** The requests without an answer. */
  readonly inflight: ReadonlyMap<number, SocketRequest>;
  readonly pending: readonly unknown[];
  requestTimeoutIntervalId?: NodeJS.Timeout;
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
const CHECK_EVERY_MS = 100;

const listeners = new Set<(broker: string) => void>();

/** Calls the listener several times a second with the address (`host:port`) of each broker that has not answered a request for 3 s, for any client of this process, for its whole life. */
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

  // As kafkajs' own, and it tells of late answers (docs/kafkajs.md, "A silent broker").
  queue.scheduleRequestTimeoutCheck = function (this: RequestQueue) {
    this.destroy();
    this.requestTimeoutIntervalId = setInterval(
      () => {
        for (const request of this.inflight.values()) {
          const waitedMs = Date.now() - request.sentAt;
          if (waitedMs > LATE_MS)
            for (const listener of listeners) listener(this.broker);
          if (waitedMs > request.requestTimeout) request.timeoutRequest();
        }
        if (!this.isConnected()) this.destroy();
      },
      Math.min(this.requestTimeout, CHECK_EVERY_MS),
    );
  };
}
