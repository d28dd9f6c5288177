/** Answers that come byte by byte, over real sockets: they are read whole, and with far fewer reads than they have pieces. */
import { afterEach, expect, test } from "@jest/globals";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseCidrs } from "@postrider/core";
import {
  startRawReceiver,
  testEffects,
  type RawReceiver,
} from "@postrider/testkit";
import { AnswerHead } from "./answer-head.ts";
import { createGuard } from "./guard.ts";
import { createSender } from "./sender.ts";
import { WATCHED_SOCKET, watchAnswers } from "./watch-answers.ts";

let receiver: RawReceiver;

afterEach(async () => await receiver.close());

const ANSWER = `HTTP/1.1 200 OK\r\nx: ${"x".repeat(300)}\r\ncontent-length: 2\r\n\r\nok`;

/** Answers each complete request with `ANSWER`, a byte at a time. */
async function aDrippingReceiver(): Promise<RawReceiver> {
  receiver = await startRawReceiver(async ({ socket, request }) => {
    for (;;) {
      await request();
      await drip(socket);
    }
  });
  return receiver;
}

async function drip(socket: Socket): Promise<void> {
  for (const byte of ANSWER) {
    socket.write(byte);
    await sleep(2);
  }
}

test("an answer in tiny pieces is read less often than it has pieces", async () => {
  const { port } = await aDrippingReceiver();
  const socket = connect({
    host: "127.0.0.1",
    port,
    ...WATCHED_SOCKET,
  });
  const kernelReads: number[] = [];
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null) => {
    if (chunk !== null) kernelReads.push(chunk.length);
    return push(chunk);
  };
  const head = new AnswerHead();
  watchAnswers(socket, head);
  head.expect();
  let answer = "";
  const isWhole = new Promise<void>((resolve) => {
    socket.on("readable", () => {
      for (;;) {
        const piece = socket.read() as Buffer | null;
        if (piece === null) break;
        answer += piece.toString("latin1");
      }
      if (answer.length === ANSWER.length) resolve();
    });
  });

  socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
  await isWhole;

  expect(answer).toBe(ANSWER);
  expect(kernelReads.length).toBeLessThan(ANSWER.length / 4);
  socket.destroy();
  await once(socket, "close");
});

test("attempts over one connection get their dripping answers whole", async () => {
  const { url: origin } = await aDrippingReceiver();
  const guard = createGuard({
    allowedCidrs: parseCidrs("127.0.0.0/8"),
    deniedCidrs: [],
  });
  const sender = createSender({ guard, ...testEffects() });
  const attempt = () =>
    sender.send({
      origin,
      path: "/",
      method: "POST",
      headers: [],
      body: Buffer.from("{}"),
      timeoutMs: 20_000,
    });

  const results = [await attempt(), await attempt()];

  expect(results).toMatchObject([
    { outcome: "delivered", statusCode: 200, error: null, isReused: false },
    { outcome: "delivered", statusCode: 200, error: null, isReused: true },
  ]);
  await sender.stop(Date.now());
});
