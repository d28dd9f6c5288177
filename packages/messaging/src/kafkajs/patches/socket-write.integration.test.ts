import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import {
  connect as connectTls,
  createServer as createTlsServer,
} from "node:tls";
import { afterAll, expect, test } from "@jest/globals";
import { makeCertificate, waitFor } from "@postrider/testkit";
import { encoderWithRoom } from "./request-head.ts";
import { writingPieces } from "./socket-write.ts";

const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
const closing: (() => unknown)[] = [];
afterAll(() => {
  for (const close of closing) close();
});

/** A server that keeps what it gets, and a connection to it. */
async function aConnection(isTls: boolean) {
  const received: Buffer[] = [];
  const take = (socket: Socket): void => {
    closing.push(() => socket.destroy());
    socket.on("data", (chunk: Buffer) => received.push(chunk));
  };
  const server = isTls
    ? createTlsServer(certificate, take)
    : createServer(take);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo; // listening on TCP, so not a pipe's name
  const to = { host: "127.0.0.1", port };
  const socket = isTls
    ? connectTls({ ...to, ca: certificate.cert })
    : connect(to);
  closing.push(() => socket.destroy());
  await once(socket, isTls ? "secureConnect" : "connect");
  return { socket: writingPieces(socket), received };
}

test.each([
  ["a plain connection", false],
  ["a TLS connection", true],
])(
  "over %s the pieces of requests come whole and in order, among other requests",
  async (_, isTls) => {
    const { socket, received } = await aConnection(isTls);
    const request = (first: number): Buffer[] => [
      Buffer.concat([Buffer.alloc(8), Buffer.alloc(100, first)]),
      Buffer.alloc(300_000, first + 1),
      Buffer.alloc(1, first + 2),
      Buffer.alloc(70_000, first + 3),
    ];
    const all = [65, 75, 85].map(request);
    const between = Buffer.from("between");

    for (const pieces of all) {
      // kafkajs writes an encoder's `buffer`, which its type here does not have.
      const { buf } = encoderWithRoom(pieces, 8);
      socket.write(buf);
      socket.write(between);
    }

    const expected = Buffer.concat(
      all.flatMap(([first, ...rest]) => [first!.subarray(8), ...rest, between]),
    );
    await waitFor(() => Buffer.concat(received).length >= expected.length);
    expect(Buffer.concat(received).equals(expected)).toBe(true);
  },
);

test("what is no first piece is written as it is", async () => {
  const { socket, received } = await aConnection(false);

  socket.write(Buffer.from("bytes"), "binary");
  socket.write("text");

  await waitFor(() => Buffer.concat(received).length === 9);
  expect(Buffer.concat(received).toString()).toBe("bytestext");
});
