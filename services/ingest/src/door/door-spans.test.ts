import { expect, test } from "@jest/globals";
import type { WebhookEvent } from "@postrider/core";
import { TypeCatalogue } from "@postrider/event-types";
import { UnfitValueError, type OutRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { recordingTracer } from "@postrider/testkit";
import { acceptEvents } from "./accept-events.ts";
import { DoorSpans } from "./door-spans.ts";
import { IdempotencyKeys } from "./idempotency-keys.ts";
import type { SendResult } from "./patient-sender.ts";

const REQUEST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OWN = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const event = { id: "e1", type: "order.paid", tenantId: "acme", payload: {} };

/** Accepts a request; returns its spans, the events that were sent, and what was thrown. */
async function accepted(
  body: unknown,
  send: (records: readonly OutRecord[]) => Promise<SendResult> = () =>
    Promise.resolve("acknowledged"),
) {
  const tracer = recordingTracer();
  const spans = new DoorSpans(tracer, "t.events");
  const sent: WebhookEvent[] = [];
  const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);
  const request = {
    body: Buffer.from(JSON.stringify(body)),
    tenantId: null,
    idempotencyKey: undefined,
    traceparent: REQUEST,
    tracestate: "a=1",
  };
  const error = await spans
    .request(request, (given) =>
      acceptEvents(given, {
        rules: {
          maxPayloadBytes: 1_000,
          url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
          inline: { kind: "allow" },
        },
        types: new TypeCatalogue(),
        keyRing,
        sender: {
          send(records: readonly OutRecord[]) {
            sent.push(...records.map(({ value }) => value as WebhookEvent));
            return send(records);
          },
        },
        keys: new IdempotencyKeys(() => 0),
        now: () => 5,
        spans,
      }),
    )
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  const [server, ...producers] = tracer.spans;
  return { server, producers, sent, error };
}

test("a request is a span in the caller's trace, and each event a span in it, whose context goes to Kafka", async () => {
  const { server, producers, sent } = await accepted({
    events: [event, { ...event, id: "e2", traceparent: OWN }],
  });

  expect(server).toMatchObject({
    name: "POST /v1/events",
    isEnded: true,
    error: null,
    options: { kind: "server", parent: { traceparent: REQUEST } },
    attributes: { "http.response.status_code": 202 },
  });
  const [first, second] = producers;
  expect(first).toMatchObject({
    name: "send t.events",
    isEnded: true,
    error: null,
    options: { kind: "producer", links: [] },
    attributes: { "postrider.event.id": "e1" },
  });
  expect(first?.options.parent.traceparent).toBe(server?.context.traceparent);
  expect(second?.options.parent.traceparent).toBe(OWN);
  expect(second?.options.links).toEqual([server?.context.traceparent]);
  expect(sent).toMatchObject([first?.context, second?.context]);
  expect(sent[0]?.tracestate).toBe("a=1");
});

test("a refused request is no error of the door; one that Kafka did not acknowledge is", async () => {
  const refused = await accepted({ ...event, type: "" });
  const late = await accepted(event, () => Promise.resolve("late"));

  expect(refused.error).toMatchObject({ code: "invalid" });
  expect(refused.server).toMatchObject({
    isEnded: true,
    error: null,
    attributes: { "http.response.status_code": 400 },
  });
  expect(late.error).toMatchObject({ code: "not_acknowledged" });
  expect(late.server).toMatchObject({ isEnded: true, error: { type: "503" } });
  expect(late.producers).toMatchObject([
    { isEnded: true, error: { type: "late" } },
  ]);
});

test("events that are refused when they are sent end their spans, too", async () => {
  const events = { events: [event, { ...event, id: "e2" }] };
  const unfit = await accepted(events, ([record]) =>
    Promise.reject(new UnfitValueError(record!, "payload", "bytes")),
  );
  const fault = await accepted(event, () => Promise.reject(new Error("oops")));

  expect(unfit.error).toMatchObject({ code: "invalid" });
  const refused = { isEnded: true, error: { type: "invalid" } };
  expect(unfit.producers).toMatchObject([refused, refused]);
  expect(fault.producers).toMatchObject([
    { isEnded: true, error: { type: "fault", message: "Error: oops" } },
  ]);
});
