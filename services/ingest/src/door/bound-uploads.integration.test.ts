import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "@jest/globals";
import { KnownKeys } from "@postrider/http";
import { rawClient, testEffects, waitFor } from "@postrider/testkit";
import { createDoor } from "./door.ts";

const KEY = "admin-key";
const HEAD = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
const MIB = 1 << 20;

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0)) await cleanUp();
});

/** A door that tells each body it has read, and how many bytes have come on the newest connection. */
async function aDoor(limits: {
  readonly maxBodyBytes: number;
  readonly maxUploadBytes: number;
}) {
  const bodies: Buffer[] = [];
  const sockets: Socket[] = [];
  const onRequest = (message: unknown): void => {
    // the documented message of this channel
    sockets.push((message as { socket: Socket }).socket);
  };
  subscribe("http.server.request.start", onRequest);
  const door = createDoor({
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    ...limits,
    accept: async ({ body }) => {
      bodies.push(Buffer.from(body));
      return [];
    },
    ...testEffects(),
  });
  cleanups.push(
    () => void unsubscribe("http.server.request.start", onRequest),
    () => door.stop(Date.now() + 1_000),
  );
  await door.start();
  const bytesRead = () => sockets.at(-1)?.bytesRead ?? 0;
  return { door, bodies, bytesRead };
}

/** What this process holds once everything that nobody refers to is gone. */
function bytesHeld(): number {
  setFlagsFromString("--expose-gc");
  // a new context has what the flag has added
  const gc = runInNewContext("gc") as () => void;
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test("a body that comes byte by byte takes no more memory than one in large pieces", async () => {
  const { door, bodies, bytesRead } = await aDoor({
    maxBodyBytes: MIB,
    maxUploadBytes: 2 * MIB,
  });
  const bytes = 300_000;
  const inPieces = (length: number) => HEAD + "1\r\nx\r\n".repeat(length);
  const end = "0\r\n\r\n";
  const request = inPieces(bytes);
  const { socket } = rawClient(door.url());
  // The first request loads what every later one needs.
  socket.write(inPieces(1_000) + end);
  await waitFor(() => bodies.length === 1);
  const readBefore = bytesRead();
  const heldBefore = bytesHeld();

  socket.write(request);
  await waitFor(() => bytesRead() >= readBefore + request.length);
  const held = bytesHeld() - heldBefore;
  socket.write(end);
  await waitFor(() => bodies.length === 2);

  expect(bodies[1]?.toString()).toBe("x".repeat(bytes));
  expect(held).toBeLessThan(16 * MIB);
  socket.destroy();
});
