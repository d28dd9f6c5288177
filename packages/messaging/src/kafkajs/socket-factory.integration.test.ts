import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, expect, test } from "@jest/globals";
import type { ISocketFactory } from "kafkajs";
import { makeCertificate, testEffects, waitFor } from "@postrider/testkit";
import { patchKafkajs } from "./patches/patch-kafkajs.ts";
import { socketFactoryFor } from "./socket-factory.ts";

const load = createRequire(import.meta.url);
const certificate = makeCertificate({ hosts: ["127.0.0.1"] });
const closing: (() => unknown)[] = [];
afterAll(() => {
  for (const close of closing) close();
});

/** Speaks TLS and answers whatever comes, until it is told to fall silent. */
async function aBroker() {
  let isSilent = false;
  const server = createTlsServer(certificate, (socket) => {
    closing.push(() => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("data", () => isSilent || socket.write("answer"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, fallSilent: () => (isSilent = true) };
}

async function connected(
  factory: ISocketFactory,
  port: number,
): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ssl = { ca: certificate.cert };
  const to = { host: "127.0.0.1", port, ssl, onConnect: resolve };
  const socket = factory(to as Parameters<ISocketFactory>[0]);
  closing.push(() => socket.destroy());
  socket.on("error", () => undefined);
  await promise;
  return socket;
}

/** A connection of kafkajs on which a request has waited for long. */
function lateRequestTo(broker: string): void {
  const Queue = load("kafkajs/src/network/requestQueue") as new (
    options: object,
  ) => {
    inflight: Map<number, object>;
    scheduleRequestTimeoutCheck(): void;
    destroy(): void;
  };
  const queue = new Queue({
    broker,
    requestTimeout: 60_000,
    enforceRequestTimeout: true,
  });
  const sentAt = Date.now() - 10_000;
  queue.inflight.set(1, { sentAt, requestTimeout: Infinity });
  queue.scheduleRequestTimeoutCheck();
  closing.push(() => queue.destroy());
}

test("brokers are asked over TLS, too, though the first client of the process has not connected yet", async () => {
  patchKafkajs();
  const [silent, other] = [await aBroker(), await aBroker()];
  const brokers = [silent, other].map(({ port }) => `127.0.0.1:${port}`);
  const { log } = testEffects();
  socketFactoryFor(brokers, log);
  const factory = socketFactoryFor(brokers, log);
  const lost = await connected(factory, silent.port);
  const kept = await connected(factory, other.port);

  silent.fallSilent();
  lateRequestTo(brokers[0]!);
  await waitFor(() => lost.destroyed, { what: "the verdict" });

  expect(kept.destroyed).toBe(false);
});

test("a login that is under way ends with its connection", async () => {
  patchKafkajs();
  const { port, fallSilent } = await aBroker();
  fallSilent();
  const factory = socketFactoryFor([`127.0.0.1:${port}`], testEffects().log);
  let socket: Socket | undefined;
  const logger = { namespace: () => logger, debug() {}, error() {} };
  const Connection = load("kafkajs/src/network/connection") as new (
    options: object,
  ) => {
    connect(): Promise<unknown>;
    sendAuthRequest(of: object): Promise<unknown>;
  };
  const connection = new Connection({
    host: "127.0.0.1",
    port,
    logger,
    ssl: { ca: certificate.cert },
    requestTimeout: 60_000,
    connectionTimeout: 10_000,
    socketFactory: (to: Parameters<ISocketFactory>[0]) =>
      (socket = factory(to)),
  });
  await connection.connect();
  const login = connection.sendAuthRequest({
    request: { encode: async () => Buffer.from("a password") },
    response: {},
  });
  await Promise.resolve();

  socket!.destroy(new Error("the broker is silent"));

  await expect(login).rejects.toThrow("Connection closed by the server");
});
