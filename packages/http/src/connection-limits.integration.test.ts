/** Clients that hold connections without taking part, on real sockets. */
import { once } from "node:events";
import { afterEach, expect, test } from "@jest/globals";
import { rawClient, testEffects, waitFor } from "@postrider/testkit";
import { createApiServer } from "./api-server.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { KnownKeys } from "./known-keys.ts";

const KEY = "a-key-of-the-test";
/** More than two sockets' buffers hold. */
const LARGE = "x".repeat(16 << 20);
const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function aServer(options: {
  readonly connections?: Partial<ConnectionLimits>;
  readonly requestTimeoutMs?: number;
}) {
  const effects = testEffects();
  const slow = Promise.withResolvers<string>();
  const server = createApiServer({
    ...effects,
    ...options,
    name: "test",
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    maxBodyBytes: 1_000,
    description: { title: "Test", description: "", tags: {} },
    routes: [
      (app) => {
        app.get("/small", () => Promise.resolve("small"));
        app.get("/large", () => Promise.resolve(LARGE));
        app.get("/slow", () => slow.promise);
      },
    ],
    onAnswered: () => undefined,
  });
  await server.start();
  open.push(() => server.stop(Date.now() + 1_000));
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.app.server.getConnections((error, count) =>
        error === null ? resolve(count) : reject(error),
      ),
    );
  const isAlone = async (): Promise<boolean> => (await connections()) === 0;
  return { server, effects, slow, connections, isAlone };
}

/** A client that is closed at the end of the test. */
function aClient(url: string) {
  const client = rawClient(url);
  open.push(() => void client.socket.destroy());
  return client;
}

const request = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n\r\n`;

/** Beyond it an answer counts as unread, whatever its size. */
const SOON = { answerMs: 100, answerBytesPerSecond: Infinity };

test("a client that does not read its answers is cut off, also the answers that wait behind the first", async () => {
  const { server, effects, isAlone } = await aServer({ connections: SOON });
  const { socket } = aClient(server.url());
  socket.pause();

  socket.write(request("/large").repeat(3));

  await waitFor(() => effects.log.of("connections.cut").length > 0);
  await waitFor(isAlone);
  expect(effects.log.of("connections.cut")).toMatchObject([
    { fields: { count: 1, why: "unread" } },
  ]);
});

test("a client that reads its answers, however many, is not cut off", async () => {
  const { server, effects } = await aServer({
    connections: { answerMs: 20_000 },
  });
  const { socket, answer } = aClient(server.url());

  socket.write(request("/large").repeat(2) + request("/small"));

  await waitFor(() => answer().endsWith("small"));
  expect(effects.log.of("connections.cut")).toEqual([]);
});

test("neither an answer that is slow to come is cut off, nor one that waits behind it, nor a large one that is read slowly", async () => {
  const { server, effects, slow } = await aServer({ connections: SOON });
  const patient = await aServer({
    connections: { answerMs: 100, answerBytesPerSecond: 1_000 },
  });
  const waiting = aClient(server.url());
  const reading = aClient(patient.server.url());
  reading.socket.pause();

  waiting.socket.write(request("/slow") + request("/small"));
  reading.socket.write(request("/large") + request("/small"));
  // Others are cut off after them, so their time has passed, too.
  for (let nth = 1; nth <= 2; nth++) {
    const unread = aClient(server.url());
    unread.socket.pause();
    unread.socket.write(request("/large"));
    await waitFor(() => effects.log.of("connections.cut").length === nth);
  }
  slow.resolve("slow");
  reading.socket.resume();

  await waitFor(() => waiting.answer().endsWith("small"));
  expect(waiting.answer()).toContain("slow");
  await waitFor(() => reading.answer().endsWith("small"));
});

test("a client that keeps its end open after a refusal is cut off", async () => {
  const { server, isAlone } = await aServer({ connections: { lingerMs: 50 } });
  const { socket, answer } = aClient(server.url());
  // Otherwise node's client answers our end with its own.
  socket.allowHalfOpen = true;

  socket.write("GARBAGE\r\n\r\n");

  await waitFor(() => answer().startsWith("HTTP/1.1 400"));
  await waitFor(isAlone);
});

test.each([
  ["sends nothing", ""],
  ["sends half of its headers", "GET /small HTTP/1.1\r\nhost"],
  [
    "sends half of its body",
    `POST /small HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
  ],
])(
  "a client that %s, and keeps its end open, is told and cut off",
  async (_, text) => {
    const { server, isAlone } = await aServer({
      requestTimeoutMs: 100,
      connections: { lingerMs: 50 },
    });
    const { socket, answer } = aClient(server.url());
    socket.allowHalfOpen = true;
    await once(socket, "connect");

    socket.write(text);

    await waitFor(() => /^HTTP\/1.1 4\d\d /.test(answer()));
    await waitFor(isAlone);
  },
);

test("a client that sends nothing after its answer is cut off", async () => {
  const { server, isAlone } = await aServer({ connections: { idleMs: 50 } });
  const { socket, answer } = aClient(server.url());

  socket.write(request("/small"));

  await waitFor(() => answer().endsWith("small"));
  await waitFor(isAlone);
});

test("connections beyond the limit are closed, those within it go on, and the log says so", async () => {
  const { server, effects } = await aServer({
    connections: { maxConnections: 2 },
  });
  const clients = [aClient(server.url()), aClient(server.url())];
  for (const { socket, answer } of clients) {
    socket.write(request("/small"));
    await waitFor(() => answer().endsWith("small"));
  }

  const third = aClient(server.url());
  await third.closed;

  expect(third.answer()).toBe("");
  clients[0]?.socket.write(request("/small"));
  await waitFor(() => clients[0]?.answer().match(/small/g)?.length === 2);
  expect(effects.log.of("connections.refused")).toHaveLength(1);

  clients[0]?.socket.destroy();
  await waitFor(async () => {
    const next = aClient(server.url());
    next.socket.write(request("/small"));
    await waitFor(
      () => next.answer().endsWith("small") || next.socket.destroyed,
    );
    return next.answer().endsWith("small");
  });
});
