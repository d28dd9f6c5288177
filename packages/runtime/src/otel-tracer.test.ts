import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { Lifecycle, LogFields, TraceContext } from "./effects.ts";
import { createOtelTracer } from "./otel-tracer.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const NONE: TraceContext = { traceparent: null, tracestate: null };

const parts: Lifecycle[] = [];
afterEach(async () => {
  for (const part of parts.splice(0)) await part.stop(Infinity);
});

type Export = SpanExporter["export"];

/** A tracer whose exporter does `send`, by default keeping the spans. */
function aTracer(send?: Export) {
  const spans: ReadableSpan[] = [];
  const logged: [event: string, fields: LogFields][] = [];
  const log = (event: string, fields: LogFields = {}): void =>
    void logged.push([event, fields]);
  const { tracer, part } = createOtelTracer({
    service: "test",
    log: { debug: log, info: log, warn: log, error: log },
    exporter: {
      export:
        send ??
        ((batch, done) => {
          spans.push(...batch);
          done({ code: 0 });
        }),
      shutdown: async () => {},
    },
  });
  parts.push(part);
  const end = (parent: TraceContext = NONE): void =>
    tracer.start("a", { kind: "client", parent, attributes: {} }).end();
  return { tracer, part, spans, logged, end };
}

test("a span is in its parent's trace, with kind, links, attributes and tracestate", async () => {
  const { tracer, part, spans } = aTracer();
  const link = "00-11111111111111111111111111111111-2222222222222222-00";

  const span = tracer.start("process events", {
    kind: "consumer",
    parent: { traceparent: PARENT, tracestate: "congo=t61,rojo=0" },
    links: [link, "no traceparent"],
    attributes: { text: "a", number: 1, nothing: null },
    startedAt: Date.UTC(2026, 0, 1),
  });
  span.set({ late: true });
  span.fail("timeout", "no answer");
  span.end();
  await part.stop(Infinity);

  const [made] = spans;
  expect(made?.spanContext().traceId).toBe(TRACE_ID);
  expect(made?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  expect(made).toMatchObject({
    name: "process events",
    kind: 4,
    links: [{ context: { spanId: "2222222222222222" } }],
    attributes: { text: "a", number: 1, late: true, "error.type": "timeout" },
    status: { code: 2, message: "no answer" },
    startTime: [Date.UTC(2026, 0, 1) / 1_000, 0],
  });
  expect(made?.attributes).not.toHaveProperty("nothing");
  expect(made?.resource.attributes["service.name"]).toBe("postrider-test");
  expect(span.context).toEqual({
    traceparent: `00-${TRACE_ID}-${made?.spanContext().spanId}-01`,
    tracestate: "congo=t61,rojo=0",
  });
});

test.each([
  ["none", null],
  ["one of version ff", `ff-${TRACE_ID}-b7ad6b7169203331-01`],
  ["one of zeros", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
])("with no parent to follow (%s) a new trace begins", (_, traceparent) => {
  const { tracer } = aTracer();

  const { context } = tracer.start("a", {
    kind: "server",
    parent: { traceparent, tracestate: "a=1" },
    attributes: {},
  });

  expect(context.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(context.traceparent).not.toContain(TRACE_ID);
  expect(context.tracestate).toBeNull();
});

test("where the publisher's trace is not sampled, no span is sent, and the trace goes on unsampled", async () => {
  const { tracer, part, spans } = aTracer();
  const traceparent = PARENT.replace(/01$/, "00");

  const span = tracer.start("a", {
    kind: "client",
    parent: { traceparent, tracestate: "a=1" },
    attributes: {},
  });
  span.end();
  await part.stop(Infinity);

  expect(span.isSampled).toBe(false);
  expect(span.context.traceparent).toMatch(
    new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`),
  );
  expect(span.context.tracestate).toBe("a=1");
  expect(spans).toEqual([]);
});

test("that sending fails is logged once, and once that it works again, with the number of lost spans", async () => {
  let isDead = true;
  const { end, part, logged } = aTracer((_, done) =>
    done(isDead ? { code: 1, error: new Error("refused") } : { code: 0 }),
  );
  const endBatch = async (): Promise<void> => {
    for (let i = 0; i < 512; i++) end();
    await setImmediate();
  };

  await endBatch();
  await endBatch();
  isDead = false;
  end();
  await part.stop(Infinity);

  expect(logged).toMatchObject([
    ["spans.notSent", { error: "refused" }],
    ["spans.sentAgain", { lost: 1_024 }],
  ]);
});

test("while the receiver hangs, the spans that wait are bounded", async () => {
  let taken = 0;
  let answer: (() => void) | null = null;
  const { end, part } = aTracer((batch, done) => {
    taken += batch.length;
    if (answer === null) answer = () => done({ code: 0 });
    else done({ code: 0 });
  });

  for (let i = 0; i < 10_000; i++) end();
  await part.stop(Infinity);

  // the batch that hangs, and the queue
  expect(taken).toBe(512 + 2_048);
  // so that the SDK's timer for it ends
  (answer as (() => void) | null)?.();
});
