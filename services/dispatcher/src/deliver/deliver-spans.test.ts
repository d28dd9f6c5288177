import { expect, test } from "@jest/globals";
import type { Delivery } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import type { Tracer } from "@postrider/runtime";
import {
  aDelivery,
  anInlineDestination,
  recordingTracer,
} from "@postrider/testkit";
import {
  answered,
  aStage,
  deliveryOf,
  failedBy,
  registered,
  sealed,
  SECRET,
} from "../../fixtures/deliver-stage.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const PROCESS = "process t.deliveries";

/** The headers of the record with which the delivery goes on. */
const headersOn = (records: readonly OutRecord[]) =>
  records.find(({ topic }) => /^(retry\.|deliveries$)/.test(topic))?.headers ??
  {};

const sentHeaders = (headers: readonly string[] = []) =>
  new Map(headers.map((name, at) => [name, headers[at + 1]] as const));

test("an attempt is a span of the delivery's record and in it one of the request, which the receiver is given", async () => {
  const tracer = recordingTracer();
  const { run, record, requests } = aStage(undefined, undefined, tracer);

  await run(record({ traceparent: TRACEPARENT, tracestate: "a=1" }));

  const attempt = tracer.spanOf(PROCESS);
  const request = tracer.spanOf("POST");
  expect(attempt).toMatchObject({
    isEnded: true,
    error: null,
    options: { kind: "consumer", links: [] },
    attributes: {
      "messaging.system": "kafka",
      "messaging.destination.name": "t.deliveries",
      "messaging.consumer.group.name": "t.dispatcher",
      "postrider.event.id": "evt_1",
      "postrider.endpoint.id": "ep_1",
      "postrider.attempt.number": 1,
      "postrider.outcome": "delivered",
      "postrider.disposition": "done",
    },
  });
  expect(attempt.options.parent.traceparent).toBe(TRACEPARENT);
  expect(request).toMatchObject({
    isEnded: true,
    options: { kind: "client", parent: attempt.context },
    attributes: {
      "http.request.method": "POST",
      "server.address": "receiver.example",
      "server.port": 443,
      "http.response.status_code": 200,
    },
  });
  const headers = sentHeaders(requests[0]?.headers);
  expect(headers.get("traceparent")).toBe(request.context.traceparent);
  expect(headers.get("tracestate")).toBe("a=1");
});

test("a retry stays a child of the same span, and links to the attempt before, also behind a deferral", async () => {
  const tracer = recordingTracer();
  const { run, record, table } = aStage(
    [registered()],
    [answered(500), answered(200)],
    tracer,
  );

  const failed = await run(record({ traceparent: TRACEPARENT }));
  const retry = deliveryOf(failed);
  const held = { ...retry, notBefore: retry.receivedAt + 60_000 };
  const deferred = await run(record(held, undefined, headersOn(failed)));
  const again = { ...deliveryOf(deferred), notBefore: null };
  await run(record(again, undefined, headersOn(deferred)));

  expect(table.size).toBe(1);
  const [first, , deferral, second] = tracer.spans;
  expect(first).toMatchObject({
    error: { type: "http_error" },
    attributes: {
      "http.response.status_code": 500,
      "postrider.disposition": "retry",
      "postrider.tier": "1s",
    },
  });
  expect(deferral).toMatchObject({
    isEnded: true,
    error: null,
    attributes: {
      "postrider.disposition": "defer",
      "postrider.deferral.reason": "not_before",
    },
  });
  expect(second).toMatchObject({
    attributes: { "postrider.attempt.number": 2, "postrider.trigger": "retry" },
  });
  for (const span of [deferral, second]) {
    expect(span?.options.parent.traceparent).toBe(TRACEPARENT);
    expect(span?.options.links).toEqual([first?.context.traceparent]);
  }
});

test("a wait that goes on for the same reason makes no further span", async () => {
  const tracer = recordingTracer();
  const { run, record } = aStage([], undefined, tracer);

  const deferred = await run(record());
  await run(record(deliveryOf(deferred)));

  expect(tracer.spans).toHaveLength(1);
});

test("a delivery that is given up without an attempt is a failed span", async () => {
  const tracer = recordingTracer();
  const { run, record } = aStage([registered({ state: "paused" })], [], tracer);

  await run(record());

  expect(tracer.spanOf(PROCESS)).toMatchObject({
    isEnded: true,
    error: { type: "paused" },
    attributes: { "postrider.dead_letter.reason": "paused" },
  });
});

test("an attempt whose URL is refused has no span of a request", async () => {
  const tracer = recordingTracer();
  const { run, record } = aStage(
    [registered({ url: "http://receiver.example/" })],
    [],
    tracer,
  );

  await run(record());

  expect(tracer.spanOf(PROCESS).error?.type).toBe("blocked");
});

test("what this process could not send leaves a deferral, and no ended span of an attempt", async () => {
  const tracer = recordingTracer();
  const fault = {
    kind: "local_fault",
    errorCode: "EMFILE",
    error: "no descriptor",
  } as const;
  const { run, record } = aStage(undefined, [fault], tracer);

  await run(record());

  const ended = tracer.spans.filter(({ isEnded }) => isEnded);
  expect(ended).toMatchObject([
    { attributes: { "postrider.deferral.reason": "local_fault" } },
  ]);
});

test("where the sampler keeps no span, the retry links to none", async () => {
  const tracer = recordingTracer({ isSampled: false });
  const { run, record } = aStage(undefined, [answered(500)], tracer);

  const records = await run(record({ traceparent: TRACEPARENT }));

  expect(headersOn(records)).not.toHaveProperty("postrider-last-attempt");
});

test.each([
  ["https://hooks.example/T0/path-secret?key=query", [PROCESS, "POST"]],
  // refused, because of its user
  ["https://user:hunter2@hooks.example/T0/path-secret", [PROCESS]],
])(
  "no attribute of an attempt to %s has the payload, a secret, or more of the URL than its origin",
  async (url, names) => {
    const tracer = recordingTracer();
    const inline = anInlineDestination({
      url,
      secrets: [sealed(SECRET, "inline_1")],
    });
    const { run, record } = aStage([], [failedBy("timeout")], tracer);

    await run(
      record({
        endpointId: "inline_1",
        inline,
        payload: Buffer.from("the payload"),
        headers: { authorization: "Bearer header" },
      }),
    );

    expect(tracer.spans.map(({ name }) => name)).toEqual(names);
    const text = JSON.stringify(
      tracer.spans.map(({ attributes, error }) => ({ attributes, error })),
    );
    for (const hidden of [
      "hunter2",
      "path-secret",
      "query",
      "the payload",
      "Bearer",
      SECRET,
    ])
      expect(text).not.toContain(hidden);
  },
);

test("without tracing, a deferral passes on which attempt was the last, as it came", async () => {
  const { run, record } = aStage([], []);
  const lastAttempt = Buffer.from(TRACEPARENT);

  const records = await run(
    record({}, undefined, { "postrider-last-attempt": lastAttempt }),
  );

  expect(headersOn(records)).toMatchObject({
    "postrider-last-attempt": lastAttempt,
  });
});

/** Of each kind of end, one delivery. */
const CASES: Readonly<Record<string, Partial<Delivery>>> = {
  attempted: {},
  deferred: { endpointId: "ep_unknown" },
  "given up": { expiresAt: 1 },
};

test.each(Object.entries(CASES))(
  "without tracing, a delivery that is %s makes no span, and its trace is passed on as it came",
  async (_, fields) => {
    const off: Tracer = {
      isOn: false,
      start() {
        throw new Error("a span without tracing");
      },
    };
    const { run, record, requests } = aStage(undefined, [answered(500)], off);
    const given = { traceparent: TRACEPARENT, tracestate: "a=1", ...fields };

    const records = await run(record(given));

    expect(headersOn(records)).not.toHaveProperty("postrider-last-attempt");
    for (const { headers } of requests) {
      expect(sentHeaders(headers).get("traceparent")).toBe(TRACEPARENT);
      expect(sentHeaders(headers).get("tracestate")).toBe("a=1");
    }
    expect(aDelivery().tracestate).toBeNull();
  },
);
