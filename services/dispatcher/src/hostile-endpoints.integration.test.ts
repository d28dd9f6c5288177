/** Hostile endpoints over real sockets, besides those that `misbehaviours.integration.test.ts` takes from the testkit: reuse, repeats within an attempt, cut bodies, black holes. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createServer, type Server, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { parseCidrs, type Outcome } from "@postrider/core";
import { testEffects, waitFor } from "@postrider/testkit";
import type { AttemptResult, SendResult } from "./send/attempt-result.ts";
import { createGuard } from "./send/guard.ts";
import type { Resolve } from "./send/name-resolver.ts";
import { createSender, type Sender } from "./send/sender.ts";

const { clock, log, meter } = testEffects();

let sender: Sender;
const servers: Server[] = [];
const sockets = new Set<Socket>();
const workers: Worker[] = [];

beforeEach(() => {
  const guard = createGuard({
    allowedCidrs: parseCidrs("127.0.0.0/8"),
    deniedCidrs: [],
  });
  sender = createSender({ guard, clock, log, meter });
});

afterEach(async () => {
  await sender.stop(Date.now());
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  for (const worker of workers.splice(0)) await worker.terminate();
});

/** A server that handles each connection with `behave`. `requests` counts requests by the ends of their headers. */
async function rawServer(
  behave: (socket: Socket, connection: number) => void,
  host = "127.0.0.1",
): Promise<string> {
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    behave(socket, (connections += 1));
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

/** Runs once the whole request (the body is BODY) has arrived, for each request of a connection. */
function onRequest(socket: Socket, answer: (request: string) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (let end = endOf(text); end !== -1; end = endOf(text)) {
      const request = text.slice(0, end);
      text = text.slice(end);
      answer(request);
    }
  });
}

const BODY = Buffer.from('{"hello":"world"}');
function endOf(text: string): number {
  const at = text.indexOf("\r\n\r\n");
  return at === -1 || text.length < at + 4 + BODY.length
    ? -1
    : at + 4 + BODY.length;
}

function answering(
  response: string | Buffer,
  then: (socket: Socket) => void = () => {},
) {
  return (socket: Socket): void =>
    onRequest(socket, () => {
      socket.write(response);
      then(socket);
    });
}

/** For attempts that end by their deadline. */
const SHORT_MS = 400;
/** For attempts that end before it: so long that a slow machine does not come near it. */
const LONG_MS = 20_000;

async function send(
  origin: string,
  body = BODY,
  timeoutMs = LONG_MS,
): Promise<SendResult> {
  return await sender.send({
    origin,
    path: "/hook?a=b",
    method: "POST",
    headers: ["content-type", "application/json"],
    body,
    timeoutMs,
  });
}

async function attempt(
  origin: string,
  timeoutMs = LONG_MS,
): Promise<AttemptResult> {
  const result = await send(origin, BODY, timeoutMs);
  if (result.kind !== "attempted")
    throw new Error(`a local fault: ${result.error}`);
  return result;
}

interface Row {
  readonly does: string;
  readonly behave: (socket: Socket, connection: number) => void;
  readonly outcome: Outcome;
  readonly statusCode?: number;
  /** Whether `error` is set. It is always set for an outcome that does not come from a status. */
  readonly isNoted?: boolean;
}

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const end = (socket: Socket): void => void socket.end();
const reset = (socket: Socket): void => void socket.resetAndDestroy();

function dripping(text: string) {
  return (socket: Socket): void => {
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed) clearInterval(timer);
      else socket.write(text.charAt(at++ % text.length));
    }, 20);
  };
}

const rows: Row[] = [
  {
    does: "closes in the middle of the body after 500",
    behave: answering(
      "HTTP/1.1 500 Oops\r\ncontent-length: 10\r\n\r\nabc",
      end,
    ),
    outcome: "http_error",
    statusCode: 500,
    isNoted: true,
  },
  {
    does: "drips a 503",
    behave: answering(
      "HTTP/1.1 503 No\r\ncontent-length: 1000\r\n\r\n",
      dripping("x"),
    ),
    outcome: "http_error",
    statusCode: 503,
    isNoted: true,
  },
  {
    does: "sends whole 103s without end",
    behave: (socket) =>
      onRequest(socket, () => {
        const timer = setInterval(() => {
          if (socket.destroyed) clearInterval(timer);
          else socket.write("HTTP/1.1 103 Early Hints\r\n\r\n");
        }, 2);
      }),
    outcome: "timeout",
  },
  {
    does: "sends early hints of 20 KB",
    behave: answering(
      `HTTP/1.1 103 Early Hints\r\nlink: ${"a".repeat(20_000)}\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`,
    ),
    outcome: "delivered",
    statusCode: 200,
  },
];

for (const row of rows) {
  test(`an endpoint that ${row.does} makes one ${row.outcome}`, async () => {
    const origin = await rawServer(row.behave);
    const deadlineMs = row.outcome === "timeout" ? SHORT_MS : LONG_MS;

    const result = await attempt(origin, deadlineMs);

    expect({ outcome: result.outcome, statusCode: result.statusCode }).toEqual({
      outcome: row.outcome,
      statusCode: row.statusCode ?? null,
    });
    expect(result.error !== null).toBe(
      row.isNoted ?? row.statusCode === undefined,
    );
    expect(result.responseBody.length).toBeLessThanOrEqual(16_384);
    if (row.outcome !== "timeout")
      expect(result.durationMs).toBeLessThan(deadlineMs);
    // All sockets are closed, or one rests for the next request.
    await waitFor(
      () => sender.stats().sockets <= 1 && sender.stats().inFlight === 0,
    );
  });
}

const slowBodies = [
  ["hangs", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok", () => {}],
  [
    "drips by a length",
    "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nok",
    dripping("x"),
  ],
  [
    "drips in chunks",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    dripping("1\r\nx\r\n"),
  ],
] as const;

test.each(slowBodies)(
  "a 2xx whose body %s is delivered long before the deadline, keeps what came, and is cut",
  async (_how, head, then) => {
    const origin = await rawServer(answering(head, then));

    const result = await attempt(origin);

    expect(result.durationMs).toBeLessThan(LONG_MS);
    expect(result).toMatchObject({
      outcome: "delivered",
      statusCode: 200,
      isBodyLate: true,
      errorCode: "POSTRIDER_BODY_CUT",
    });
    expect(result.responseBody.toString()).toMatch(/^ok/);
    await waitFor(() => sender.stats().sockets === 0);
  },
);

test("a body that takes its time within a second is read whole, over a connection that serves again", async () => {
  const held = heldClock();
  const origin = await rawServer((socket) =>
    onRequest(socket, () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
      void afterTurns(20, () => {
        held.at += 900;
        void afterTurns(20, () => socket.write("k"));
      });
    }),
  );

  const first = await attempt(origin);
  const second = await attempt(origin);

  expect(first).toMatchObject({ isBodyLate: false, error: null });
  expect(first.responseBody.toString()).toBe("ok");
  expect(second.isReused).toBe(true);
});

test("an idle connection that died just before the request costs one retry on a fresh connection, in the same attempt", async () => {
  heldClock();
  let requests = 0;
  // The first connection answers once and then resets at the second request, before any byte.
  const origin = await rawServer((socket, connection) =>
    onRequest(socket, () => {
      requests += 1;
      if (connection === 1 && requests === 2) reset(socket);
      else socket.write(ok);
    }),
  );
  await attempt(origin);

  const second = await attempt(origin);

  expect(second).toMatchObject({
    outcome: "delivered",
    statusCode: 200,
    isReused: false,
    errorCode: null,
    error: "sent twice: the kept connection closed under the request",
  });
  expect(requests).toBe(3);
});

test.each([
  ["reset", "socket.resetAndDestroy()"],
  ["closed", "socket.end()"],
  ["sent garbage", "socket.end('garbage')"],
  ["sent an answer", "socket.end('HTTP/1.1 408 Late\\r\\n\\r\\n')"],
])(
  "an idle connection that was %s, which this process has not seen yet, costs no attempt: nothing was sent over it",
  async (_how, breaking) => {
    const { origin, breakIdle, requests } = await breakingServer(breaking);
    await attempt(origin);

    breakIdle();
    const second = await attempt(origin);

    expect(second).toMatchObject({ outcome: "delivered", error: null });
    expect(requests()).toBe(2);
  },
);

/** A server in a thread of its own. `breakIdle` blocks this thread until the first connection was broken, so that its end waits in the kernel. */
async function breakingServer(breaking: string) {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { createServer } = require("node:net");
     const { parentPort, workerData: shared } = require("node:worker_threads");
     let first = true;
     const server = createServer((socket) => {
       socket.on("error", () => undefined);
       socket.on("data", () => {
         Atomics.add(shared, 1, 1);
         socket.write("HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n");
       });
       if (!first) return;
       first = false;
       const timer = setInterval(() => {
         if (Atomics.load(shared, 0) !== 1) return;
         clearInterval(timer);
         const broken = () => {
           Atomics.store(shared, 0, 2);
           Atomics.notify(shared, 0);
         };
         socket.once("finish", broken).once("close", broken);
         ${breaking};
       }, 1);
     }).listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: shared },
  );
  workers.push(worker);
  const port = await new Promise<number>((resolve) =>
    worker.once("message", resolve),
  );
  return {
    origin: `http://127.0.0.1:${port}`,
    breakIdle: () => {
      Atomics.store(shared, 0, 1);
      Atomics.wait(shared, 0, 1, 10_000);
    },
    requests: () => Atomics.load(shared, 1),
  };
}

test.each([
  ["more than its round trip after the request", "", 11],
  ["after a first byte of an answer", "H", 0],
  ["after an informational answer", "HTTP/1.1 103 Early Hints\r\n\r\n", 0],
])(
  "a used connection that is reset %s is not sent over again: the receiver may have taken the event",
  async (_when, first, afterMs) => {
    const held = heldClock();
    let requests = 0;
    const origin = await rawServer((socket) =>
      onRequest(socket, () => {
        requests += 1;
        if (requests === 1) return void socket.write(ok);
        held.at += afterMs;
        socket.write(first, () => void afterTurns(20, () => reset(socket)));
      }),
    );
    await attempt(origin);

    const second = await attempt(origin);

    expect(second).toMatchObject({
      outcome: "connection_reset",
      isReused: true,
    });
    expect(requests).toBe(2);
  },
);

test("an event goes out twice at most within one attempt", async () => {
  heldClock();
  let requests = 0;
  const origin = await rawServer((socket) =>
    onRequest(socket, () => {
      requests += 1;
      if (requests === 1) socket.write(ok);
      else reset(socket);
    }),
  );
  await attempt(origin);

  const second = await attempt(origin);

  expect(second).toMatchObject({
    outcome: "connection_reset",
    error:
      "connection reset by peer; sent twice: the kept connection closed under the request",
  });
  expect(requests).toBe(3);
});

test.each([
  ["no descriptor", "EMFILE", "connection_reset"],
  ["no name server", "ESERVFAIL", "dns_error"],
])(
  "a request that died on a kept connection, and for which %s is found a second time, is an attempt and not a local fault",
  async (_what, code, outcome) => {
    let looksUp = 0;
    heldClock((_name, done) => {
      looksUp += 1;
      if (looksUp === 1) done(null, [{ address: "127.0.0.1", family: 4 }]);
      else done(Object.assign(new Error("no look-up"), { code }), []);
    });
    let requests = 0;
    const { port } = new URL(
      await rawServer((socket) =>
        onRequest(socket, () => {
          requests += 1;
          if (requests === 1) socket.write(ok);
          else reset(socket);
        }),
      ),
    );
    const origin = `http://hook.example.com:${port}`;
    await attempt(origin);

    const second = await attempt(origin);

    expect(second).toMatchObject({ outcome, statusCode: null });
    expect(second.error).toContain(code);
    expect(second.error).toContain(
      "sent once before: the kept connection closed under the request",
    );
    expect(second.error).not.toContain("twice");
    expect(requests).toBe(2);
  },
);

/** A sender with a clock that only the test moves, so that a slow machine cannot change the result. */
function heldClock(resolve?: Resolve): { at: number } {
  const held = { at: 1_000 };
  const allowedCidrs = parseCidrs("127.0.0.0/8");
  const guard = createGuard({ allowedCidrs, deniedCidrs: [] }, resolve);
  const byHand = { ...clock, monotonic: () => held.at };
  sender = createSender({ guard, clock: byHand, log, meter });
  return held;
}

/** Waits for turns of the event loop. Each turn reads all sockets, so bytes that were written before have been read. */
async function afterTurns(turns: number, then: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1)
    await new Promise((resume) => setTimeout(resume, 1));
  then();
}

test("a fresh connection that dies is not retried within the attempt", async () => {
  let connections = 0;
  const origin = await rawServer((socket) => {
    connections += 1;
    onRequest(socket, () => reset(socket));
  });

  const result = await attempt(origin);

  expect(result.outcome).toBe("connection_reset");
  expect(connections).toBe(1);
});

test("a closed port is a refused connection", async () => {
  const origin = await rawServer(() => {});
  const server = servers.pop();
  await new Promise((done) => server?.close(done));

  expect(await attempt(origin)).toMatchObject({
    outcome: "connection_refused",
    errorCode: "ECONNREFUSED",
    remoteAddress: null,
  });
});

test("the bytes that arrive are the bytes that were given", async () => {
  const received: string[] = [];
  const origin = await rawServer((socket) =>
    onRequest(socket, (request) => {
      received.push(request);
      socket.write(ok);
    }),
  );

  const result = await attempt(origin);

  expect(result.outcome).toBe("delivered");
  expect(received).toHaveLength(1);
  expect(received[0]?.startsWith("POST /hook?a=b HTTP/1.1\r\n")).toBe(true);
  expect(
    received[0]?.endsWith(
      `content-length: ${BODY.length}\r\n\r\n${BODY.toString()}`,
    ),
  ).toBe(true);
});

test("connections are used again, and isReused shows it", async () => {
  const origin = await rawServer(answering(ok));

  const first = await attempt(origin);
  const second = await attempt(origin);

  expect([first.isReused, second.isReused]).toEqual([false, true]);
  expect(second.connectMs).toBe(0);
  expect(sender.stats().sockets).toBe(1);
});

test("an attempt tells to which address its request went: that of the kept connection, or of the one that was opened anew within the attempt", async () => {
  // One port on all addresses of this machine: the name stands for one of them, and then for another.
  const addresses = ["127.0.0.2", "127.0.0.3"];
  heldClock((_name, done) =>
    done(null, [{ address: addresses.shift() ?? "127.0.0.4", family: 4 }]),
  );
  let requests = 0;
  const { port } = new URL(
    await rawServer(
      (socket) =>
        onRequest(socket, () => {
          requests += 1;
          if (requests === 3) reset(socket);
          else socket.write(ok);
        }),
      "0.0.0.0",
    ),
  );
  const origin = `http://hook.example.com:${port}`;

  const results = [];
  for (let n = 0; n < 3; n += 1) results.push(await attempt(origin));

  expect(
    results.map(({ isReused, remoteAddress }) => [isReused, remoteAddress]),
  ).toEqual([
    [false, "127.0.0.2"],
    [true, "127.0.0.2"],
    [false, "127.0.0.3"],
  ]);
});

test("a body is never inflated and the values of secret headers are not kept", async () => {
  const bomb = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0]),
    Buffer.alloc(28),
  ]);
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nset-cookie: sid=1\r\nx-api-key: k\r\ncontent-length: ${bomb.length}\r\n\r\n`;
  const origin = await rawServer(
    answering(Buffer.concat([Buffer.from(head), bomb])),
  );

  const result = await attempt(origin);

  expect(result.responseBody.equals(bomb)).toBe(true);
  expect(result.responseHeaders).toMatchObject({
    "content-encoding": "gzip",
    "set-cookie": "[redacted]",
    "x-api-key": "[redacted]",
  });
});

test("200 attempts at once to a black hole all end by their deadline and leave no socket", async () => {
  const origin = await rawServer(() => {});

  const results = await Promise.all(
    Array.from({ length: 200 }, () => attempt(origin, SHORT_MS)),
  );

  expect(new Set(results.map((each) => each.outcome))).toEqual(
    new Set(["timeout"]),
  );
  await waitFor(() => sender.stats().sockets === 0);
});
