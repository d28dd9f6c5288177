/** The server on real sockets, with a route that answers when the test tells it to. */
import { afterEach, expect, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import {
  parseRawAnswer,
  rawClient,
  testEffects,
  waitFor,
} from "@postrider/testkit";
import { createApiServer } from "./api-server.ts";
import { KnownKeys } from "./known-keys.ts";

const KEY = "a-key-of-the-test";
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of open.splice(0)) await stop();
});

async function aServer(options: { readonly requestTimeoutMs?: number } = {}) {
  const effects = testEffects();
  const slow = Promise.withResolvers<void>();
  let asked = 0;
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
        app.get("/slow", async () => {
          asked += 1;
          await slow.promise;
          return "done";
        });
      },
    ],
    onAnswered: () => undefined,
  });
  open.push(() => server.stop(Date.now() + 1_000));
  await server.start();
  let arrived = 0;
  server.app.server.on("request", () => (arrived += 1));
  return {
    server,
    effects,
    finish: slow.resolve,
    asked: () => asked,
    arrived: () => arrived,
  };
}

const request = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n\r\n`;

test("garbage after a request does not replace the request's answer", async () => {
  const { server, finish, asked } = await aServer();
  const { socket, answer, closed } = rawClient(server.url());

  socket.write(`${request("/slow")}GARBAGE\r\n\r\n`);
  await waitFor(() => asked() === 1);
  finish();
  await closed;

  const statuses = [...answer().matchAll(/HTTP\/1\.1 (\d+)/g)];
  expect(statuses.map(([, status]) => status)).toEqual(["200", "400"]);
});

test("however many packets of garbage come behind a request, its answer is whole and one refusal follows", async () => {
  const { server, effects, finish, asked } = await aServer();
  const answers: ServerResponse[] = [];
  server.app.server.on("request", (_request, response: ServerResponse) =>
    answers.push(response),
  );
  const { socket, answer, closed } = rawClient(server.url());
  let refusals = 0;
  server.app.server.on("clientError", () => (refusals += 1));
  socket.write(request("/slow"));
  await waitFor(() => asked() === 1);
  const before = answers[0]?.listenerCount("close") ?? 0;

  for (let packet = 1; packet <= 20; packet += 1) {
    socket.write("GARBAGE\r\n\r\n");
    await waitFor(() => refusals === packet);
  }
  const behind = answers[0]?.listenerCount("close");
  finish();
  await closed;

  expect(behind).toBe(before + 1);
  const statuses = [...answer().matchAll(/HTTP\/1\.1 (\d+)/g)];
  expect(statuses.map(([, status]) => status)).toEqual(["200", "400"]);
  expect(answer()).toContain("This is not valid HTTP.");
  expect(effects.log.of("request.unreadable")).toHaveLength(1);
});

test("a request that comes while the server stops is answered with a problem document", async () => {
  const { server, finish, asked, arrived } = await aServer();
  const { socket, answer, closed } = rawClient(server.url());
  socket.write(request("/slow"));
  await waitFor(() => asked() === 1);

  const stopped = server.stop(Date.now() + 5_000);
  socket.write(request("/slow"));
  await waitFor(() => arrived() === 2);
  finish();
  await stopped;
  await closed;

  const [, second = ""] = answer().split(/(?=HTTP\/1\.1 503)/);
  expect(parseRawAnswer(second)).toMatchObject({
    status: 503,
    headers: {
      "content-type": "application/problem+json",
      "retry-after": "1",
      "x-request-id": expect.any(String),
    },
  });
});

test("a request that never ends is answered with 408 and a problem document", async () => {
  const { server } = await aServer({ requestTimeoutMs: 50 });
  const { socket, answer, closed } = rawClient(server.url());

  socket.write("GET / HTTP/1.1\r\nhost: x\r\n");
  await closed;

  expect(parseRawAnswer(answer())).toMatchObject({
    status: 408,
    headers: {
      "content-type": "application/problem+json",
      "x-content-type-options": "nosniff",
      "x-request-id": expect.any(String),
    },
  });
});

test("an unreadable request is logged under the request id of its answer", async () => {
  const { server, effects } = await aServer();
  const { socket, answer, closed } = rawClient(server.url());

  socket.write("GARBAGE\r\n\r\n");
  await closed;

  const requestId = parseRawAnswer(answer()).headers["x-request-id"];
  expect(effects.log.of("request.unreadable")).toMatchObject([
    { fields: { requestId, statusCode: 400 } },
  ]);
});

test("HTTP/1.0 needs no host", async () => {
  const { server } = await aServer();
  const { socket, answer, closed } = rawClient(server.url());

  socket.write(`GET /x HTTP/1.0\r\nauthorization: Bearer ${KEY}\r\n\r\n`);
  await closed;

  expect(parseRawAnswer(answer()).status).toBe(404);
});
