import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ISocketFactory } from "kafkajs";
import { makeCertificate, testEffects } from "@postrider/testkit";
import { patchKafkajs } from "./patches/patch-kafkajs.ts";
import { socketFactoryFor } from "./socket-factory.ts";
import { Encoder } from "./wire-request.ts";

const load = createRequire(import.meta.url);
const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
const closing: (() => unknown)[] = [];
beforeAll(() => patchKafkajs());
afterAll(() => {
  for (const close of closing) close();
});

/** Answers the nth request, or does with its connection what it likes. */
type Answer = (to: Socket, correlationId: Buffer, nth: number) => unknown;

interface Connection {
  connect(): Promise<unknown>;
  isConnected(): boolean;
  send(request: object): Promise<Buffer>;
  disconnect(): Promise<unknown>;
}

const ways = [
  ["plain", false],
  ["TLS", true],
] as const;

/** A connection of kafkajs, made by our factory, to a server that answers so. */
async function aConnection(
  isTls: boolean,
  answer: Answer,
): Promise<Connection> {
  let count = 0;
  const serve = (socket: Socket): void => {
    closing.push(() => socket.destroy());
    socket.on("error", () => undefined);
    // Size, key, version and correlation id: each request here has 14 bytes and its client's id.
    let came = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      came = Buffer.concat([came, chunk]);
      while (came.length >= 4 && came.length >= 4 + came.readInt32BE(0)) {
        answer(socket, came.subarray(8, 12), count++);
        came = came.subarray(4 + came.readInt32BE(0));
      }
    });
  };
  const server = isTls
    ? createTlsServer(certificate, serve)
    : createServer(serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo; // listening on TCP, so not a pipe's name
  const factory = socketFactoryFor([`127.0.0.1:${port}`], testEffects().log);
  const logger = { namespace: () => logger, debug() {}, error() {} };
  const ConnectionClass = load("kafkajs/src/network/connection") as new (
    options: object,
  ) => Connection;
  const connection = new ConnectionClass({
    host: "127.0.0.1",
    port,
    logger,
    ...(isTls && { ssl: { ca: certificate.cert } }),
    requestTimeout: 60_000,
    connectionTimeout: 10_000,
    socketFactory: factory satisfies ISocketFactory,
  });
  await connection.connect();
  closing.push(() => connection.disconnect());
  return connection;
}

/** What the server answered, without size and correlation id. */
function ask(connection: Connection): Promise<Buffer> {
  return connection.send({
    request: {
      apiKey: 18, // ApiVersions: needs no login
      apiVersion: 0,
      apiName: "ApiVersions",
      encode: async () => new Encoder(),
    },
    response: {
      decode: async (bytes: Buffer) => bytes,
      parse: async (bytes: Buffer) => bytes,
    },
  });
}

function framed(correlationId: Buffer, body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(4 + body.length);
  return Buffer.concat([size, correlationId, body]);
}

/** Bytes of which no two stretches are alike. */
function bodyOf(size: number): Buffer {
  const body = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) body.writeUInt32LE(at + size, at);
  return body;
}

test.each(ways)(
  "over %s answers of all sizes come whole, several in one write",
  async (_, isTls) => {
    const sizes = [0, 5, 40_000, 3, 16_376, 16_384, 2_000_000, 1, 300_000, 9];
    const waiting: Buffer[] = [];
    const connection = await aConnection(isTls, (to, correlationId, nth) => {
      waiting.push(framed(correlationId, bodyOf(sizes[nth]!)));
      if (waiting.length === sizes.length) to.write(Buffer.concat(waiting));
    });

    const answers = await Promise.all(sizes.map(() => ask(connection)));

    for (const [i, size] of sizes.entries())
      expect(answers[i]!.equals(bodyOf(size))).toBe(true);
  },
);

test.each(ways)(
  "over %s an answer comes whole whose parts come one by one",
  async (_, isTls) => {
    const connection = await aConnection(
      isTls,
      async (to, correlationId, nth) => {
        const bytes = framed(correlationId, bodyOf(30_000 + nth));
        for (const [from, end] of [
          [0, 1],
          [1, 4],
          [4, 7],
          [7, 20_000],
          [20_000, 29_999],
          [29_999, bytes.length],
        ]) {
          to.write(bytes.subarray(from, end));
          await sleep(2);
        }
      },
    );

    expect((await ask(connection)).equals(bodyOf(30_000))).toBe(true);
    expect((await ask(connection)).equals(bodyOf(30_001))).toBe(true);
  },
);

test.each(ways)("over %s an answer may have 80 MB", async (_, isTls) => {
  const body = bodyOf(80 << 20);
  const connection = await aConnection(isTls, (to, correlationId) =>
    to.write(framed(correlationId, body)),
  );

  const answer = await ask(connection);

  expect(answer.equals(body)).toBe(true);
  expect(answer.buffer.byteLength).toBe(8 + body.length);
});

test.each(ways)(
  "over %s an answer that its connection did not bring whole is not taken for the beginning of the next connection's",
  async (_, isTls) => {
    const connection = await aConnection(isTls, (to, correlationId, nth) =>
      nth === 0
        ? to.end(framed(correlationId, bodyOf(50_000)).subarray(0, 30_000))
        : to.write(framed(correlationId, bodyOf(100))),
    );
    await expect(ask(connection)).rejects.toThrow("Closed connection");
    await connection.connect();

    expect((await ask(connection)).equals(bodyOf(100))).toBe(true);
  },
);

// The long page fills the room for what is no answer yet.
test.each(ways.flatMap((way) => [0, 64 << 10].map((more) => [...way, more])))(
  "over %s a connection ends whose other end is no broker",
  async (_, isTls, more) => {
    const connection = await aConnection(Boolean(isTls), (to) =>
      to.write(`HTTP/1.1 400 Bad Request\r\n\r\n${"x".repeat(Number(more))}`),
    );

    await expect(ask(connection)).rejects.toThrow(
      "no answer of a Kafka broker",
    );
    expect(connection.isConnected()).toBe(false);
  },
);
