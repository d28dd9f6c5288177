import { afterEach, expect, test } from "@jest/globals";
import {
  controlEntry,
  inlineEndpointId,
  secretAad,
  type WebhookEvent,
} from "@postrider/core";
import { policyEntry, TypeCatalogue } from "@postrider/event-types";
import { KnownKeys } from "@postrider/http";
import { UnfitValueError, type OutRecord } from "@postrider/messaging";
import { createKeyRing, sha256Text } from "@postrider/runtime";
import {
  parseRawAnswer,
  rawClient,
  rawProblem,
  testEffects,
  unreadableRequests,
  waitFor,
} from "@postrider/testkit";
import { documentedAnswers } from "@postrider/testkit/documented-answers";
import { acceptEvents } from "./accept-events.ts";
import { createDoor, type Door } from "./door.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import type { SendResult } from "./patient-sender.ts";

const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);
const KEY = "admin-key";
const open: Door[] = [];
afterEach(async () => {
  for (const door of open.splice(0)) await door.stop(Date.now() + 1_000);
});

/** A door whose fake broker answers with `send`. */
async function aDoor(
  send: (
    records: readonly OutRecord[],
  ) => SendResult | Promise<SendResult> = () => "acknowledged",
  limits: { readonly idleUploadMs?: number } = {},
  types = new TypeCatalogue(),
) {
  const sent: OutRecord[] = [];
  const effects = testEffects();
  const keys = new IdempotencyKeys(() => effects.clock.monotonic());
  const door = createDoor({
    host: "127.0.0.1",
    port: 0,
    adminKey: KEY,
    keys: new KnownKeys(),
    maxBodyBytes: 10_000,
    maxUploadBytes: 15_000,
    ...limits,
    accept: (request) =>
      acceptEvents(request, {
        rules: {
          maxPayloadBytes: 1_000,
          url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
          inline: { kind: "allow" },
        },
        types,
        keyRing,
        sender: {
          async send(records) {
            sent.push(...records);
            return send(records);
          },
        },
        keys,
        now: () => 5,
        spans: null,
      }),
    ...effects,
  });
  open.push(door);
  await door.start();
  const requireDocumented = documentedAnswers(door.document());
  const post = async (
    body: unknown,
    headers: Record<string, string> = {},
    path = "/v1/events",
  ) => {
    const response = await fetch(door.url() + path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${KEY}`,
        "content-type": "application/json",
        ...headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    requireDocumented({
      method: "POST",
      path,
      status: response.status,
      contentType: response.headers.get("content-type"),
      text,
    });
    return {
      status: response.status,
      headers: response.headers,
      json: JSON.parse(text) as Record<string, unknown>,
    };
  };
  return { door, post, sent, effects };
}

const event = { id: "e.1", type: "order.paid", tenantId: "acme", payload: {} };

test("an accepted event is answered with its id and tenant, and produced under its key", async () => {
  const { post, sent } = await aDoor();

  const { status, json } = await post(
    `{"id":"e.1","type":"order.paid","tenantId":"acme","payload": {"n":1.0} }`,
  );

  expect(status).toBe(202);
  expect(json).toEqual({ events: [{ id: "e.1", tenantId: "acme" }] });
  expect(sent).toMatchObject([
    {
      topic: "events",
      key: "acme:e.1",
      value: { id: "e.1", payload: Buffer.from(`{"n":1.0}`) },
    },
  ]);
});

test("a batch is answered in its order", async () => {
  const { post } = await aDoor();
  const ids = ["a", "b", "c"];

  const { status, json } = await post({
    events: ids.map((id) => ({ ...event, id })),
  });

  expect(status).toBe(202);
  expect(json["events"]).toEqual(ids.map((id) => ({ id, tenantId: "acme" })));
});

test("an event that passes the rules but does not fit the schema is refused by its field, and nothing of its batch is accepted", async () => {
  const { post } = await aDoor((records) => {
    throw new UnfitValueError(records[1]!, "destination.maxAttempts", "int");
  });

  const { status, json } = await post({
    events: ["a", "b"].map((id) => ({ ...event, id })),
  });

  expect(status).toBe(400);
  expect(json).toMatchObject({
    type: "urn:postrider:problem:invalid",
    errors: [
      {
        field: "events[1].destination.maxAttempts",
        rule: "schema",
        message: "must be int",
      },
    ],
  });
});

test("no plain secret leaves the door", async () => {
  const { post, sent } = await aDoor();

  await post({
    ...event,
    destination: { url: "https://callback.example/", secret: "hush" },
  });

  const { destination } = sent[0]!.value as WebhookEvent;
  expect(destination?.secret).toBeNull();
  const sealed = destination!.sealedSecret!;
  expect(sealed).toMatchObject({ kid: "k1", createdAt: 5 });
  expect(JSON.stringify(sent)).not.toContain("hush");
  const endpointId = inlineEndpointId(sha256Text, "acme", destination!.url);
  const aad = secretAad("acme", endpointId, sealed.id);
  expect(keyRing.open(sealed, aad).toString()).toBe("hush");
});

test.each([
  [{}, 401],
  [{ authorization: "Bearer wrong" }, 401],
  [{ authorization: `Basic ${KEY}` }, 401],
  [{ authorization: KEY }, 401],
  [{ authorization: `bearer ${KEY}` }, 202],
])("with the headers %j the answer is %d", async (headers, status) => {
  const { door } = await aDoor();

  const response = await fetch(`${door.url()}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(event),
  });

  expect(response.status).toBe(status);
  if (status === 401)
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
});

test("a refusal before the body is read names its field too, and no answer may be cached", async () => {
  const { door, post } = await aDoor();

  const noKey = await fetch(`${door.url()}/v1/events`, { method: "POST" });
  const tooLarge = await post("x".repeat(10_001));

  expect(noKey.headers.get("cache-control")).toBe("no-store");
  expect(await noKey.json()).toMatchObject({
    errors: [{ field: "authorization", rule: "bearer" }],
  });
  expect(tooLarge.json).toMatchObject({
    errors: [{ field: "body", rule: "max_bytes" }],
  });
});

test("one wrong event refuses all, and every problem names its event, field and rule", async () => {
  const { post, sent } = await aDoor();

  const { status, headers, json } = await post({
    events: [
      event,
      { ...event, tenantId: undefined },
      {
        ...event,
        type: "",
        destination: { url: "http://a.example", secret: "" },
      },
    ],
  });

  expect(status).toBe(400);
  expect(headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(json).toMatchObject({
    status: 400,
    type: "urn:postrider:problem:invalid",
    errors: [
      { field: "events[1].tenantId", rule: "required" },
      { field: "events[2].type", rule: "required" },
      { field: "events[2].destination.url", rule: "scheme" },
      { field: "events[2].destination.secret", rule: "required" },
    ],
  });
  expect(sent).toEqual([]);
});

test("garbage, other media types, compressed and oversized bodies, and other paths are refused", async () => {
  const { post, door, sent } = await aDoor();

  expect((await post("{")).status).toBe(400);
  expect((await post("")).status).toBe(400);
  expect((await post("x", { "content-type": "text/plain" })).status).toBe(415);
  expect((await post("{}", { "content-encoding": "gzip" })).status).toBe(415);
  expect((await post("x".repeat(10_001))).status).toBe(413);
  expect(
    (await post({ ...event, payload: "x".repeat(1_000) })).json,
  ).toMatchObject({
    status: 400,
    errors: [{ field: "payload", rule: "max_bytes" }],
  });
  expect((await post(event, {}, "/v1/other")).status).toBe(404);
  const got = await fetch(`${door.url()}/v1/events`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect(got.status).toBe(404);
  expect(sent).toEqual([]);
});

test("an Idempotency-Key gives the same id every time, and another to another tenant", async () => {
  const { post } = await aDoor();
  const headers = { "idempotency-key": "k-1" };
  const { id: _, ...withoutId } = event;

  const [one, two, other] = [
    await post(withoutId, headers),
    await post(withoutId, headers),
    await post({ ...withoutId, tenantId: "beta" }, headers),
  ].map(({ json }) => json["events"]);

  expect(one).toEqual(two);
  expect(one).not.toEqual(other);
  expect((await post(withoutId)).json).toMatchObject({
    errors: [{ field: "id", rule: "required" }],
  });
});

test("the same request again under its Idempotency-Key has the same answer, and is sent once", async () => {
  const { post, sent } = await aDoor();
  const { id: _, ...unnamed } = event;
  const body = { events: [unnamed, { ...unnamed, tenantId: "beta" }] };
  const headers = { "idempotency-key": "k-1" };

  const first = await post(body, headers);
  const again = await post(body, headers);

  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.json).toEqual(first.json);
  expect(sent).toHaveLength(2);
});

test("the same request has the same answer though its tenant's policy would refuse it by now, and one that was refused leaves its key free", async () => {
  const types = new TypeCatalogue();
  const hold = (level: string | null): void =>
    types.set(
      policyEntry("acme"),
      level === null
        ? undefined
        : controlEntry({
            typePolicy: { tenantId: "acme", level, updatedAt: 1 },
          }),
    );
  const { post, sent } = await aDoor(undefined, undefined, types);
  const { id: _, ...unnamed } = event;
  const first = await post(unnamed, { "idempotency-key": "k-1" });
  hold("known");

  const again = await post(unnamed, { "idempotency-key": "k-1" });
  const refused = await post(unnamed, { "idempotency-key": "k-2" });
  hold(null);
  const after = await post(
    { ...unnamed, payload: 2 },
    { "idempotency-key": "k-2" },
  );

  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.json).toEqual(first.json);
  expect(refused.status).toBe(422);
  expect(after.status).toBe(202);
  expect(sent).toHaveLength(2);
});

test("another body under an Idempotency-Key is refused with 422, and nothing of it is accepted", async () => {
  const { post, sent } = await aDoor();
  const { id: _, ...unnamed } = event;
  const headers = { "idempotency-key": "k-1" };
  await post(unnamed, headers);

  const { status, json } = await post({ ...unnamed, payload: 2 }, headers);

  expect(status).toBe(422);
  expect(json).toMatchObject({
    type: "urn:postrider:problem:idempotency-key-reused",
    errors: [{ field: "idempotency-key", rule: "same_body" }],
  });
  expect(sent).toHaveLength(1);
});

test("a request whose Idempotency-Key is under way is refused with 409, and accepted once that has ended without an answer from Kafka", async () => {
  const broker = Promise.withResolvers<SendResult>();
  const results = [broker.promise, "acknowledged" as const];
  const { post, sent } = await aDoor(() => results.shift() ?? "acknowledged");
  const { id: _, ...unnamed } = event;
  const headers = { "idempotency-key": "k-1" };
  const first = post(unnamed, headers);
  await waitFor(() => sent.length === 1);

  const meanwhile = await post(unnamed, headers);
  broker.resolve("late");

  expect(meanwhile.status).toBe(409);
  expect(meanwhile.headers.get("retry-after")).toBe("1");
  expect((await first).status).toBe(503);
  expect((await post({ ...unnamed, payload: 2 }, headers)).status).toBe(422);
  const after = await post(unnamed, headers);
  expect(after.status).toBe(202);
  expect(sent.map(({ key }) => key)).toEqual([sent[0]?.key, sent[0]?.key]);
});

test.each(["late", "full", "stopped"] as const)(
  "an event that the broker has not acknowledged (%s) is answered with 503 and Retry-After",
  async (result) => {
    const { post } = await aDoor(() => result);

    const { status, headers, json } = await post(event);

    expect(status).toBe(503);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(json["type"]).toMatch(/busy|not-acknowledged/);
  },
);

test("a bug is answered without its details, and logged", async () => {
  const { post, effects } = await aDoor(() => {
    throw new Error("hush");
  });

  const { status, json } = await post(event);

  expect(status).toBe(500);
  expect(JSON.stringify(json)).not.toContain("hush");
  expect(effects.log.of("request.failed")).toHaveLength(1);
});

const PROBLEM = /^content-type: application\/problem\+json\r$/im;

test.each(unreadableRequests(KEY))(
  "a request with %s is answered with a problem document and its request id, and hurts nobody",
  async (_what, request, status) => {
    const { door, post } = await aDoor();

    const problem = await rawProblem(door.url(), request);

    expect(problem).toMatchObject({
      status,
      contentType: "application/problem+json",
      document: { status, errors: expect.any(Array) },
      isNamed: true,
    });
    expect((await post(event)).status).toBe(202);
  },
);

test.each([
  ["not JSON", "{", "json"],
  ["empty", "", "json"],
  ["not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "utf8"],
  ["no object", "7", "object"],
])(
  "a body that is %s is a problem of the field body",
  async (_, body, rule) => {
    const { door } = await aDoor();

    const answer = await fetch(`${door.url()}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${KEY}`,
        "content-type": "application/json",
      },
      body,
    });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      errors: [{ field: "body", rule }],
    });
  },
);

const HEAD = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`;
const half = "x".repeat(8_000);

test.each([
  ["of a known length", `${HEAD}content-length: 9000\r\n\r\n${half}`],
  [
    "that come in chunks",
    `${HEAD}transfer-encoding: chunked\r\n\r\n1f40\r\n${half}\r\n`,
  ],
])(
  "bodies %s take a bounded room: what is beyond it is asked to come back, and does when there is room",
  async (_, request) => {
    const { door, post, sent } = await aDoor();
    const first = rawClient(door.url());
    const second = rawClient(door.url());

    first.socket.write(request);
    await waitFor(() => first.socket.bytesWritten >= request.length);
    await waitFor(async () => (await post(event)).status === 202);
    second.socket.write(request);

    await waitFor(() => second.answer().includes('"status":503'));
    expect(second.answer()).toMatch(/^HTTP\/1.1 503 /);
    expect(second.answer()).toMatch(/^retry-after: 1\r$/im);
    expect(second.answer()).toMatch(PROBLEM);
    // Another that fits is taken, and when the first goes away there is room for more.
    expect((await post(event)).status).toBe(202);
    first.socket.destroy();
    await waitFor(
      async () => (await post({ ...event, payload: half })).status === 400,
    );
    expect(sent.length).toBeGreaterThan(1);
    second.socket.destroy();
  },
);

test.each([
  ["that have sent nothing", ""],
  ["that drip", "x"],
])("eight uploads %s do not keep other requests out", async (_, sentSoFar) => {
  const { door, post } = await aDoor();
  const request = `${HEAD}content-length: 9000\r\n\r\n${sentSoFar}`;
  const uploads = Array.from({ length: 8 }, () => rawClient(door.url()));
  for (const { socket } of uploads) socket.write(request);
  await waitFor(() =>
    uploads.every(({ socket }) => socket.bytesWritten >= request.length),
  );

  const answered = await post({ ...event, payload: "x".repeat(900) });
  for (const { socket } of uploads) socket.write("x");
  const later = await post({ ...event, payload: "x".repeat(900) });

  expect([answered.status, later.status]).toEqual([202, 202]);
  expect(uploads.map(({ answer }) => answer())).toEqual(Array(8).fill(""));
  for (const { socket } of uploads) socket.destroy();
});

test("an upload that stalls is answered with 408, and its bytes are free again", async () => {
  const { door, post } = await aDoor(undefined, { idleUploadMs: 1_000 });
  const { socket, answer, closed } = rawClient(door.url());

  socket.write(`${HEAD}content-length: 9000\r\n\r\n${half}`);
  await closed;

  expect(parseRawAnswer(answer())).toMatchObject({
    status: 408,
    headers: { "content-type": "application/problem+json" },
  });
  const rest = `${HEAD}content-length: 9000\r\n\r\n${half}`;
  const next = rawClient(door.url());
  next.socket.write(`${rest}${"x".repeat(1_000)}`);
  await waitFor(() => next.answer().includes('"requestId"'));
  expect(parseRawAnswer(next.answer()).status).toBe(400); // no JSON, but read
  next.socket.destroy();
  expect((await post(event)).status).toBe(202);
});

test("a stop lets the request in flight end", async () => {
  const broker = Promise.withResolvers<SendResult>();
  const { door, post, sent } = await aDoor(() => broker.promise);
  const posted = post(event);
  await waitFor(() => sent.length === 1);

  const stopped = door.stop(Date.now() + 5_000);
  broker.resolve("acknowledged");

  expect((await posted).status).toBe(202);
  await stopped;
  expect(door.isListening()).toBe(false);
});
