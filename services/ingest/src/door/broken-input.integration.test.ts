/** Broken requests for the door, as bytes on a socket: malformed heads, bodies and chunks, cut off anywhere. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { TypeCatalogue } from "@postrider/event-types";
import { KnownKeys } from "@postrider/http";
import type { OutRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import {
  fuzz,
  mutated,
  parseRawAnswer,
  rawClient,
  testEffects,
} from "@postrider/testkit";
import { acceptEvents } from "./accept-events.ts";
import { createDoor, type Door } from "./door.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";

const KEY = "admin-key";
const MAX_BODY_BYTES = 20_000;
const sent: OutRecord[] = [];
let door: Door;

beforeAll(async () => {
  const types = new TypeCatalogue();
  const claims = new IdempotencyKeys(() => performance.now());
  const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);
  door = createDoor({
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    maxBodyBytes: MAX_BODY_BYTES,
    maxUploadBytes: 100_000,
    idleUploadMs: 500,
    accept: (request) =>
      acceptEvents(request, {
        rules: {
          maxPayloadBytes: 10_000,
          url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
          inline: { kind: "allow" },
        },
        types,
        keys: claims,
        keyRing,
        sender: {
          send(records) {
            sent.push(...records);
            return Promise.resolve("acknowledged");
          },
        },
        now: () => 5,
        spans: null,
      }),
    ...testEffects(),
  });
  await door.start();
});
afterAll(async () => await door.stop(Date.now() + 1_000));

const EVENT = `{"id":"e.1","type":"order.paid","tenantId":"acme","payload":{"n":1.0},"headers":{"x-a":"b"}}`;
const BODIES = [
  EVENT,
  `{"events":[${EVENT},${EVENT}]}`,
  `{"id":"e","type":"a.b","tenantId":"t","payload":"x","contentType":"text/plain","destination":{"url":"https://example.com/","secret":"s"}}`,
].map((text) => Buffer.from(text));
const HEAD = `POST /v1/events HTTP/1.1\r\nhost: door\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`;
const headed = (more: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${HEAD}${more}\r\n`), body]);
const measured = (body: Buffer): Buffer =>
  headed(`content-length: ${body.length}\r\n`, body);
const chunked = (body: Buffer, size: number): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    parts.push(
      Buffer.from(`${piece.length.toString(16)};ext=1\r\n`),
      piece,
      Buffer.from("\r\n"),
    );
  }
  const last = Buffer.from("0\r\ntrailer: x\r\n\r\n");
  return headed(
    "transfer-encoding: chunked\r\n",
    Buffer.concat([...parts, last]),
  );
};
const REQUESTS = [
  ...BODIES.map(measured),
  ...BODIES.map((body) => chunked(body, 30)),
  Buffer.concat([measured(BODIES[0]!), measured(BODIES[1]!)]),
  headed(
    `expect: 100-continue\r\nidempotency-key: k1\r\ncontent-length: 2\r\n`,
    Buffer.from("{}"),
  ),
  Buffer.from("GET /openapi.json HTTP/1.1\r\nhost: door\r\n\r\n"),
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
];
/** What a client may have done wrong, and 503: more bodies at once than may be. */
const EXPECTED = new Set([
  100, 200, 202, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 426,
  429, 431, 501, 503, 505,
]);

/** Sends the bytes, says that no more will come, and resolves to what came back when the door has closed the connection. */
async function answerTo(bytes: Buffer): Promise<string> {
  const { socket, answer, closed } = rawClient(door.url());
  socket.end(bytes);
  await closed;
  return answer();
}

test("the door answers each request that is broken with what is wrong, or ends it, and goes on", async () => {
  await fuzz({
    name: "door",
    inputs: 300,
    make: (random) => {
      const which = random.next();
      // So that the change is in the body, and the body is read.
      if (which < 0.4)
        return measured(
          mutated(random, random.pick(BODIES as [Buffer]), BODIES),
        );
      if (which < 0.5)
        return chunked(
          mutated(random, random.pick(BODIES as [Buffer]), BODIES),
          random.between(1, 50),
        );
      return mutated(random, random.pick(REQUESTS as [Buffer]), REQUESTS);
    },
    feed: async (request) => {
      const text = await answerTo(request);

      // Nothing is said to somebody who said nothing.
      if (text === "") return;
      const { status, headers, body } = parseRawAnswer(text);
      expect(text).toMatch(/^HTTP\/1\.1 \d{3} /);
      expect(EXPECTED).toContain(status);
      if (headers["content-type"]?.includes("problem+json")) {
        const length = Number(headers["content-length"]);
        const document = JSON.parse(
          Buffer.from(body).subarray(0, length).toString(),
        ) as Record<string, unknown>;
        expect(document["title"]).toEqual(expect.any(String));
        expect(body).not.toContain(KEY);
      }
    },
  });

  const before = sent.length;
  const good = await answerTo(measured(BODIES[0]!));
  expect(parseRawAnswer(good).status).toBe(202);
  expect(sent).toHaveLength(before + 1);
});
