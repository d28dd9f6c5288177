import { expect, test } from "@jest/globals";
import type { Delivery } from "@postrider/core";
import { TypeCatalogue } from "@postrider/event-types";
import type { RawRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { anEndpoint, anEvent, recordingTracer } from "@postrider/testkit";
import { EndpointFilters } from "./endpoint-filters.ts";
import { EndpointIndex } from "./endpoint-index.ts";
import type { RouteInput } from "./read-event.ts";
import { createRouteStage } from "./route.stage.ts";
import { RouteSpans } from "./route-spans.ts";

const OWN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const HEADER = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Routes one event; returns the span and the deliveries. */
async function routed(
  fields: Parameters<typeof anEvent>[0],
  headers: RawRecord["headers"] = {},
  endpoints = [anEndpoint()],
) {
  const tracer = recordingTracer();
  const index = new EndpointIndex();
  for (const each of endpoints) index.set(each.id, each);
  const stage = createRouteStage({
    rules: {
      maxPayloadBytes: 1_000,
      url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
      inline: { kind: "allow" },
    },
    types: new TypeCatalogue(),
    maxFanOut: 1,
    recordPayloads: "all",
    window: { maxRecords: 100, maxBytes: 1e6 },
    endpoints: index,
    filters: new EndpointFilters(),
    keyRing: createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]),
    encodeEvent: () => Buffer.alloc(0),
    now: () => 1_800_000_000_000,
    spans: new RouteSpans(tracer, "t.route"),
  });
  const value: RouteInput = {
    kind: "event",
    form: "avro",
    event: anEvent(fields),
    problems: [],
  };
  const raw: RawRecord = {
    topic: "t.events",
    partition: 1,
    offset: 7,
    timestamp: 0,
    key: null,
    value: Buffer.alloc(1),
    headers,
  };
  const verdict = await stage.handle(
    { raw, value },
    new AbortController().signal,
  );
  if (verdict.kind !== "emit") throw new Error("route never rejects");
  const deliveries = [...verdict.records]
    .filter(({ topic }) => topic === "deliveries")
    .map((record) => record.value as Delivery);
  return { span: tracer.spanOf("process t.events"), deliveries };
}

test.each([
  ["the event's own", { traceparent: OWN, tracestate: "a=1" }, OWN, "a=1"],
  ["its record's header", {}, HEADER, "b=1"],
])(
  "the span is a child of %s trace, and the deliveries are children of the span",
  async (_, fields, parent, state) => {
    const headers = {
      traceparent: Buffer.from(HEADER),
      tracestate: Buffer.from("b=1"),
    };

    const { span, deliveries } = await routed(fields, headers);

    expect(span.options.parent).toMatchObject({
      traceparent: parent,
      tracestate: state,
    });
    expect(span).toMatchObject({
      isEnded: true,
      error: null,
      attributes: {
        "messaging.destination.partition.id": "1",
        "messaging.kafka.offset": 7,
        "postrider.event.id": "evt_1",
        "postrider.decision": "routed",
        "postrider.deliveries": 1,
      },
    });
    expect(deliveries).toMatchObject([span.context]);
  },
);

test("an event without a trace begins one", async () => {
  const { span, deliveries } = await routed({});

  expect(span.options.parent.traceparent).toBeNull();
  expect(deliveries[0]?.traceparent).toBe(span.context.traceparent);
});

test("an event that is invalid, or wanted by too many, is a failed span", async () => {
  const two = [anEndpoint(), anEndpoint({ id: "ep_2" })];

  const invalid = await routed({ type: "" });
  const refused = await routed({}, {}, two);

  expect(invalid.span).toMatchObject({
    isEnded: true,
    error: { type: "required" },
    attributes: { "postrider.decision": "invalid" },
  });
  expect(refused.span).toMatchObject({
    isEnded: true,
    error: { type: "refused" },
    attributes: { "postrider.decision": "refused" },
  });
});

test("an event that nobody wants is no error", async () => {
  const { span } = await routed({}, {}, []);

  expect(span).toMatchObject({
    isEnded: true,
    error: null,
    attributes: { "postrider.decision": "no_match", "postrider.deliveries": 0 },
  });
});
