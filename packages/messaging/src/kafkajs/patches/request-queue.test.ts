import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import { registerRequestQueue } from "./request-queue.ts";

const FETCH = 1;
const HEARTBEAT = 12;

interface Queue {
  readonly inflight: Map<number, object>;
  push(request: object): void;
  fulfillRequest(answer: object): void;
  scheduleRequestTimeoutCheck(): void;
  waitForPendingRequests(): Promise<void>;
  destroy(): void;
}
// kafkajs is CommonJS: the same class that the patch changes.
const RequestQueue = createRequire(import.meta.url)(
  "kafkajs/src/network/requestQueue",
) as new (options: object) => Queue;

registerRequestQueue();

function aQueue(isConnected = () => true): Queue {
  return new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 50,
    enforceRequestTimeout: true,
    clientId: "test",
    broker: "broker:9092",
    logger: { debug: () => undefined },
    isConnected,
  });
}

/** Sends a request that nobody answers; resolves with its error. */
function sent(queue: Queue, apiKey: number) {
  return new Promise<unknown>((resolve, reject) =>
    queue.push({
      entry: {
        apiKey,
        apiName: "Name",
        apiVersion: 0,
        correlationId: 1,
        resolve,
        reject,
      },
      expectResponse: true,
      sendRequest: () => undefined,
    }),
  ).catch((error: unknown) => error);
}

test("one timer finds the late requests of every connection, until each is closed", async () => {
  let isOpen = true;
  const queues = [aQueue(), aQueue(() => isOpen)];
  for (const queue of queues) queue.scheduleRequestTimeoutCheck();

  const errors = await Promise.all(
    queues.map((queue) => sent(queue, HEARTBEAT)),
  );

  expect(errors.map(String)).toEqual([
    expect.stringContaining("timed out"),
    expect.stringContaining("timed out"),
  ]);
  isOpen = false;
  queues[0]!.destroy();
});

test.each([
  ["fetch", FETCH],
  ["heartbeat", HEARTBEAT],
])(
  "before its connection is closed, a queue waits for its %s: nobody would answer or reject it afterwards",
  async (_name, apiKey) => {
    const queue = aQueue();
    void sent(queue, apiKey);

    let hasWaited = false;
    const waited = queue
      .waitForPendingRequests()
      .then(() => (hasWaited = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasWaited).toBe(false);

    queue.fulfillRequest({ correlationId: 1, payload: null, size: 0 });
    await waited;
  },
);
