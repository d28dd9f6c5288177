import { afterEach, expect, test } from "@jest/globals";
import { connect } from "node:net";
import { saying } from "./misbehaviour.ts";
import { startRawReceiver, type RawReceiver } from "./raw-receiver.ts";
import { startReceiver, type Receiver } from "./receiver.ts";
import { waitFor } from "./wait-for.ts";

const open: (Receiver | RawReceiver)[] = [];
afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.close();
});

async function aReceiver(
  ...args: Parameters<typeof startReceiver>
): Promise<Receiver> {
  const receiver = await startReceiver(...args);
  open.push(receiver);
  return receiver;
}

test("a receiver keeps each request's bytes exactly", async () => {
  const receiver = await aReceiver();
  const body = Buffer.from([0, 255, 13, 10, 0x7b]);

  await fetch(`${receiver.url}/a?b=%20c`, {
    method: "POST",
    body,
    headers: { "webhook-id": "msg_1" },
  });

  const [request] = await receiver.waitForRequests(1);
  expect(request?.body).toEqual(body);
  expect(request?.path).toBe("/a?b=%20c");
  expect(request?.headers["webhook-id"]).toBe("msg_1");
});

test("a list of answers is given in order, and its last is repeated", async () => {
  const receiver = await aReceiver({
    answer: [500, { status: 503, headers: { "retry-after": "1" } }, 200],
  });

  const answers = [];
  for (let n = 0; n < 4; n += 1)
    answers.push((await fetch(receiver.url)).status);

  expect(answers).toEqual([500, 503, 200, 200]);
});

test("a script chooses the answer by the request", async () => {
  const receiver = await aReceiver({
    answer: (request) => (request.path === "/gone" ? 410 : 204),
  });

  const statuses = [
    (await fetch(`${receiver.url}/gone`)).status,
    (await fetch(`${receiver.url}/here`)).status,
  ];

  expect(statuses).toEqual([410, 204]);
});

test.each(["reset", "close"] as const)(
  "a receiver told to %s gives no answer",
  async (answer) => {
    const receiver = await aReceiver({ answer });

    await expect(fetch(receiver.url)).rejects.toThrow();

    expect(receiver.requests).toHaveLength(1);
  },
);

test("a hanging receiver can be closed", async () => {
  const receiver = await aReceiver({ answer: "hang" });
  const request = fetch(receiver.url);
  const refused = expect(request).rejects.toThrow();
  await receiver.waitForRequests(1);

  await receiver.close();

  await refused;
});

test("a raw receiver sends the given bytes and keeps what came", async () => {
  const receiver = await startRawReceiver(saying("SSH-2.0-OpenSSH\r\n"));
  open.push(receiver);
  const socket = connect(receiver.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString()));

  socket.write("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");

  await waitFor(() => answer === "SSH-2.0-OpenSSH\r\n");
  expect(receiver.received()[0]?.toString()).toMatch(/\r\n\r\nhi$/);
  socket.destroy();
});
