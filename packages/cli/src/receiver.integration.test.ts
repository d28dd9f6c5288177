import { afterEach, expect, test } from "@jest/globals";
import { sign } from "@postrider/signing";
import { waitFor, type MisbehaviourName } from "@postrider/testkit";
import { startHostileReceiver } from "./hostile-receiver.ts";
import {
  startReceiver,
  type ReceivedRequest,
  type Receiver,
  type ReceiverOptions,
} from "./receiver.ts";

const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
/** The key pair of the specification's example. */
const privateKey =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const publicKey = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
let receiver: Receiver | undefined;
afterEach(async () => await receiver?.stop());

async function start(options: Partial<ReceiverOptions> = {}, signer = secret) {
  const seen: ReceivedRequest[] = [];
  receiver = await startReceiver({
    port: 0,
    secrets: [secret],
    failFirst: 0,
    slowMs: 0,
    status: 200,
    onRequest: (request) => seen.push(request),
    ...options,
  });
  return { seen, send: sender(receiver.url, signer) };
}

function sender(url: string, signer = secret) {
  return async (body: string, signedBody = body): Promise<number> => {
    const id = "msg_1";
    const timestamp = Math.floor(Date.now() / 1000);
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: {
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": sign({
          id,
          timestamp,
          body: Buffer.from(signedBody),
          secrets: [signer],
        }),
      },
    });
    return response.status;
  };
}

test("a request signed by the secret is right, and one whose body was changed is wrong", async () => {
  const { seen, send } = await start();

  const statuses = [await send("{}"), await send("{ }", "{}")];

  expect(statuses).toEqual([200, 401]);
  expect(seen.map((request) => request.signature)).toEqual(["right", "wrong"]);
  expect(seen[1]?.signatureError).toContain("no v1 signature matches");
});

test("a request signed by an ed25519 key is checked with the public key", async () => {
  const { seen, send } = await start({ secrets: [publicKey] }, privateKey);

  const statuses = [await send("{}"), await send("{ }", "{}")];

  expect(statuses).toEqual([200, 401]);
  expect(seen.map((request) => request.signature)).toEqual(["right", "wrong"]);
});

test("a repeat of a webhook-id is counted", async () => {
  const { seen, send } = await start();

  await send("{}");
  await send("{}");

  expect(seen.map((request) => request.timesSeen)).toEqual([1, 2]);
});

test("the first requests fail as often as asked, and then the answer has the status that was asked for", async () => {
  const { seen, send } = await start({ failFirst: 2, status: 204 });

  const statuses = [await send("1"), await send("2"), await send("3")];

  expect(statuses).toEqual([500, 500, 204]);
  expect(seen.map((request) => request.status)).toEqual(statuses);
});

test("without secrets signatures are reported as not checked", async () => {
  const { seen, send } = await start({ secrets: [] });

  await send("{}");

  expect(seen[0]?.signature).toBe("not checked");
});

async function startHostile(behaviour: MisbehaviourName) {
  const seen: ReceivedRequest[] = [];
  const connections: number[] = [];
  receiver = await startHostileReceiver({
    port: 0,
    behaviour,
    secrets: [secret],
    onConnection: (number) => connections.push(number),
    onRequest: (request) => seen.push(request),
  });
  return { seen, connections, send: sender(receiver.url) };
}

test("a receiver that misbehaves answers by its behaviour and reports each request with its signature", async () => {
  const { seen, send } = await startHostile("gone");

  const statuses = [await send("{}"), await send("{ }", "{}")];

  expect(statuses).toEqual([410, 410]);
  expect(seen).toMatchObject([
    { webhookId: "msg_1", signature: "right", status: null, timesSeen: 1 },
    { webhookId: "msg_1", signature: "wrong", status: null, timesSeen: 2 },
  ]);
});

test("a receiver that never answers reports connections and requests, too", async () => {
  const { seen, connections, send } = await startHostile("silence");

  const answered = send("{}").catch(() => "no answer");
  await waitFor(() => seen.length > 0);
  await receiver?.stop();

  expect(await answered).toBe("no answer");
  expect(seen[0]?.body).toBe("{}");
  expect(connections[0]).toBe(1);
});
