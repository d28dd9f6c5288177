/** Control's server on real sockets: what it answers to requests that match no route. */
import { afterEach, expect, test } from "@jest/globals";
import { KnownKeys, type ApiServer, type Routes } from "@postrider/http";
import {
  rawProblem,
  testEffects,
  unreadableRequests,
} from "@postrider/testkit";
import { createServer } from "./server.ts";

const KEY = "an-admin-key-of-the-test";
const open: ApiServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop(Date.now() + 1_000);
});

const routes: Routes = (app) => {
  app.get("/v1/events/:id", async () => ({}));
  app.post("/v1/events", async ({ body }) => ({ body: body ?? null }));
};

async function aServer(): Promise<ApiServer> {
  const server = createServer({
    ...testEffects(),
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    routes: [routes],
  });
  open.push(server);
  await server.start();
  return server;
}

test.each([
  ...unreadableRequests(KEY),
  [
    "an id that is too long",
    `GET /v1/events/${"a".repeat(2_000)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n\r\n`,
    400,
  ] as const,
])(
  "a request with %s is answered with a problem document and its request id",
  async (_what, request, status) => {
    const server = await aServer();

    const problem = await rawProblem(server.url(), request);

    expect(problem).toMatchObject({
      status,
      contentType: "application/problem+json",
      document: { status, errors: expect.any(Array) },
      isNamed: true,
    });
  },
);

test.each([
  ["not JSON", "{", "json"],
  ["not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "utf8"],
])(
  "a body that is %s is a problem of the field body",
  async (_, body, rule) => {
    const server = await aServer();

    const answer = await fetch(`${server.url()}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${KEY}`,
        "content-type": "application/json",
      },
      body,
    });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      errors: [{ field: "body", rule }],
    });
  },
);
