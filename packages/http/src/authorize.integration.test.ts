/** Keys on a real socket: each request is its own caller's, in whatever form it comes. */
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { anApiKey, rawClient, testEffects, waitFor } from "@postrider/testkit";
import { READ_ALL } from "./access.ts";
import { createApiServer, type ApiServer } from "./api-server.ts";
import { newKey } from "./key-token.ts";
import { KnownKeys } from "./known-keys.ts";

const ADMIN_KEY = "a-key-of-the-test";
const publisher = newKey();
/** Who has run the route. */
const callers: string[] = [];
let server: ApiServer;

beforeAll(async () => {
  const keys = new KnownKeys();
  const { id, hash } = publisher;
  keys.set(id, anApiKey({ id, hash, role: "publisher", tenantId: "acme" }));
  server = createApiServer({
    ...testEffects(),
    name: "test",
    host: "127.0.0.1",
    port: 0,
    adminKey: ADMIN_KEY,
    keys,
    maxBodyBytes: 1_000,
    description: { title: "Test", description: "", tags: {} },
    routes: [
      (app) => {
        app.get("/v1/things", READ_ALL, async ({ caller }) => {
          callers.push(caller.keyId);
          return caller;
        });
      },
    ],
    onAnswered: () => undefined,
  });
  await server.start();
});
afterAll(() => server.stop(Date.now() + 1_000));
beforeEach(() => {
  callers.length = 0;
});

const line = (start: string, key?: string): string =>
  `${start} HTTP/1.1\r\nhost: x\r\n${key === undefined ? "" : `authorization: Bearer ${key}\r\n`}`;

/** The statuses of the answers to what is sent over one connection. */
async function statuses(text: string, count: number): Promise<string[]> {
  const { socket, answer, closed } = rawClient(server.url());
  const found = (): string[] =>
    [...answer().matchAll(/HTTP\/1\.1 (\d+)/g)].map(
      ([, status = ""]) => status,
    );
  socket.write(text);
  await waitFor(() => found().length === count);
  socket.end();
  await closed;
  return found();
}

test("a request without a key is not the caller of the one before it on the same connection", async () => {
  const start = "GET /v1/things";
  const sent = [
    line(start, ADMIN_KEY),
    line(start),
    line(start, publisher.token),
    line("GET /v1/nothing"),
    line(start, ADMIN_KEY),
  ];

  const found = await statuses(sent.map((each) => `${each}\r\n`).join(""), 5);

  expect(found).toEqual(["200", "401", "403", "401", "200"]);
  expect(callers).toEqual(["admin", "admin"]);
});

test.each([
  ["HEAD /v1/things", "403"],
  ["GET /v1/%74hings", "403"],
  ["GET http://x/v1/things", "403"],
  ["GET /v1/things?x=1", "403"],
  ["GET /v1/things/", "404"],
  ["GET /v1/things;x", "404"],
  ["GET /v1/x/../things", "404"],
  ["GET //v1/things", "404"],
  ["TRACE /v1/things", "404"],
  ["OPTIONS *", "404"],
])(
  "%s is refused without a key, and to a key that may not",
  async (start, refused) => {
    const sent = `${line(start)}\r\n${line(start, publisher.token)}\r\n`;

    expect(await statuses(sent, 2)).toEqual(["401", refused]);
    expect(callers).toEqual([]);
  },
);
