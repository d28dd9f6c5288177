import { afterEach, expect, test } from "@jest/globals";
import { sign } from "@postrider/signing";
import { startReceiver, type Receiver, type Script } from "@postrider/testkit";
import { forward } from "./forward.ts";
import { startListener, type ListenerOptions, type Seen } from "./listener.ts";

const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of open.splice(0).toReversed()) await stop();
});

async function aService(answer: Script): Promise<Receiver> {
  const service = await startReceiver({ answer });
  open.push(() => service.close());
  return service;
}

async function listening(options: Partial<ListenerOptions> = {}) {
  const seen: Seen[] = [];
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    secret: () => SECRET,
    onlyType: null,
    forward: null,
    onDelivery: (one) => seen.push(one),
    ...options,
  });
  open.push(() => listener.stop(0));
  const deliver = async (
    body: string,
    { signed = body, method = "POST", headers = {} } = {},
  ) => {
    const id = "msg_1";
    const timestamp = Math.floor(Date.now() / 1_000);
    const signature = sign({
      id,
      timestamp,
      body: Buffer.from(signed),
      secrets: [SECRET],
    });
    return await fetch(listener.url, {
      method,
      body,
      headers: {
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signature,
        ...headers,
      },
    });
  };
  return { seen, deliver };
}

function to(service: string, timeoutMs = 10_000) {
  return {
    forward: (delivered: Parameters<typeof forward>[1]) =>
      forward(service, delivered, timeoutMs),
  };
}

test("the service gets the method, the bytes and the headers of the delivery, and its answer is ours", async () => {
  const service = await aService({
    status: 429,
    body: "later",
    headers: { "retry-after": "7", "x-other": "no" },
  });
  const { seen, deliver } = await listening(to(`${service.url}/hooks?a=1`));
  const body = '{"n":12345678901234567890, "n":1.0,"ü":1}';

  const answer = await deliver(body, {
    method: "PUT",
    headers: { "x-team": "red" },
  });

  const [got] = service.requests;
  expect(got).toMatchObject({ method: "PUT", path: "/hooks?a=1" });
  expect(got?.body.toString()).toBe(body);
  expect(got?.headers).toMatchObject({
    "webhook-id": "msg_1",
    "x-team": "red",
    host: new URL(service.url).host,
  });
  expect(answer.status).toBe(429);
  expect(await answer.text()).toBe("later");
  expect(answer.headers.get("retry-after")).toBe("7");
  expect(answer.headers.get("x-other")).toBeNull();
  expect(seen).toMatchObject([
    { signature: "right", status: 429, forwardStatus: 429, error: null },
  ]);
});

test("what the secret did not sign is answered 401 and not passed on", async () => {
  const service = await aService(200);
  const { seen, deliver } = await listening(to(service.url));

  const answer = await deliver("{ }", { signed: "{}" });

  expect(answer.status).toBe(401);
  expect(service.requests).toEqual([]);
  expect(seen).toMatchObject([{ signature: "wrong", forwardStatus: null }]);
});

test("nothing is accepted before the endpoint is there", async () => {
  const { deliver } = await listening({ secret: () => "" });

  expect((await deliver("{}")).status).toBe(503);
});

test("a service that is not there is a 502, and one that does not answer a 504, with the reason", async () => {
  const gone = await aService(200);
  await gone.close();
  const silent = await aService("hang");
  const first = await listening(to(gone.url));
  const second = await listening(to(silent.url, 50));

  const statuses = [await first.deliver("{}"), await second.deliver("{}")].map(
    ({ status }) => status,
  );

  expect(statuses).toEqual([502, 504]);
  expect(first.seen[0]?.error).toContain("cannot be reached");
  expect(second.seen[0]?.error).toContain("did not answer within 0.05 s");
  expect(first.seen[0]?.forwardStatus).toBeNull();
});

test("a redirect of the service is not followed", async () => {
  const service = await aService({ status: 307, headers: { location: "/b" } });
  const { deliver } = await listening(to(service.url));

  expect((await deliver("{}", {})).status).toBe(307);
  expect(service.requests).toHaveLength(1);
});

test("of a long answer the beginning is kept, and its status stands", async () => {
  const service = await aService({ status: 200, body: "x".repeat(100_000) });
  const { deliver } = await listening(to(service.url));

  const answer = await deliver("{}");

  expect(answer.status).toBe(200);
  expect(await answer.text()).toHaveLength(16_384);
});

test("without a service the answer is 200, and repeats are counted", async () => {
  const { seen, deliver } = await listening();

  await deliver("1");
  await deliver("1");

  expect(seen).toMatchObject([
    { status: 200, timesSeen: 1, body: "1", forwardStatus: null },
    { status: 200, timesSeen: 2 },
  ]);
});

test.each([
  ['{"type":"order.paid"}', {}, null, "order.paid"],
  ['{"type":7}', {}, null, null],
  ["[]", {}, null, null],
  ["no JSON", {}, null, null],
  ['{"type":"a"}', { "ce-type": "order.paid" }, null, "order.paid"],
  ["1", {}, "user.created", "user.created"],
])(
  "the type of %s with %j and the only type %s is %s",
  async (body, headers, onlyType, type) => {
    const { seen, deliver } = await listening({ onlyType });

    await deliver(body, { headers });

    expect(seen[0]?.eventType).toBe(type);
  },
);

test("a body that is too long is refused, and is not kept", async () => {
  const { seen, deliver } = await listening();

  const answer = await deliver("x".repeat(4_200_000));

  expect(answer.status).toBe(413);
  expect(seen).toMatchObject([
    { status: 413, body: "", signature: "not checked" },
  ]);
});
