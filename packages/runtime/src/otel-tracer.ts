/**
 * The tracer behind OpenTelemetry's SDK. Only `startTraces` loads this file, because the SDK must cost nothing where it is not asked for.
 * The imports in here are static: its packages are CommonJS, whose names a bundler loses in a dynamic import.
 */
import { randomUUID } from "node:crypto";
import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span as OtelSpan,
  type SpanContext,
} from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import type {
  Lifecycle,
  Log,
  Span,
  SpanAttributes,
  TraceContext,
  Tracer,
} from "./effects.ts";
import { systemClock } from "./clock.ts";
import { reportedExporter } from "./reported-exporter.ts";
import type { TracesProtocol } from "./traces-config.ts";
import { LATE, within } from "./within.ts";

/** The version of the semantic conventions whose names our spans use. */
const SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0";

/** How long a stop waits for the last spans. A receiver that is dead must not hold a service up. */
const FLUSH_WITHIN_MS = 2_000;

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** Where to, and with which headers and certificates, the exporter reads in the environment. */
export function otlpExporter(protocol: TracesProtocol): SpanExporter {
  switch (protocol) {
    case "http/json":
      return new JsonExporter();
    case "http/protobuf":
      return new ProtobufExporter();
  }
}

/**
 * Sampler, limits and the size of batches are the SDK's, which reads them in the environment. At most 2,048 spans wait
 * (OTEL_BSP_MAX_QUEUE_SIZE); more are dropped. Nothing is registered globally.
 */
export function createOtelTracer(options: {
  readonly service: string;
  readonly exporter: SpanExporter;
  readonly log: Log;
}): { readonly tracer: Tracer; readonly part: Lifecycle } {
  const { service, log } = options;
  const ours = resourceFromAttributes({
    "service.name": `postrider-${service}`,
    "service.instance.id": randomUUID(),
  });
  const exporter = reportedExporter(options.exporter, log);
  const provider = new BasicTracerProvider({
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const otel = provider.getTracer("postrider", undefined, {
    schemaUrl: SCHEMA_URL,
  });
  const tracer: Tracer = {
    isOn: true,
    start(name, { kind, parent, links = [], attributes, startedAt }) {
      const span = otel.startSpan(
        name,
        {
          kind: KINDS[kind],
          attributes: known(attributes),
          links: links.flatMap(linkTo),
          ...(startedAt === undefined ? {} : { startTime: startedAt }),
        },
        contextOf(parent),
      );
      return spanOf(span);
    },
  };
  const part: Lifecycle = {
    start: () => Promise.resolve(),
    async stop(deadline) {
      const left = Math.max(0, deadline - systemClock.now());
      const waitMs = Math.min(FLUSH_WITHIN_MS, left);
      // A failure was logged by the exporter.
      const flushed = provider.shutdown().catch(() => undefined);
      if ((await within(flushed, waitMs)) === LATE)
        log.warn("spans.notFlushed", { waitedMs: waitMs });
    },
  };
  return { tracer, part };
}

function spanOf(span: OtelSpan): Span {
  const context = span.spanContext();
  return {
    context: textsOf(context),
    isSampled: (context.traceFlags & TraceFlags.SAMPLED) !== 0,
    set: (attributes) => void span.setAttributes(known(attributes)),
    fail(type, message) {
      span.setAttribute("error.type", type);
      span.setStatus({
        code: SpanStatusCode.ERROR,
        ...(message === undefined ? {} : { message }),
      });
    },
    end: () => span.end(),
  };
}

function known(
  attributes: SpanAttributes,
): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const name in attributes) {
    const value = attributes[name];
    if (value != null) kept[name] = value;
  }
  return kept;
}

/** Of a context that cannot be read nothing is taken over: a new trace begins. */
function contextOf({ traceparent, tracestate }: TraceContext): Context {
  const parent = traceparent === null ? null : parsed(traceparent);
  if (parent === null) return ROOT_CONTEXT;
  return trace.setSpanContext(
    ROOT_CONTEXT,
    tracestate === null
      ? parent
      : { ...parent, traceState: createTraceState(tracestate) },
  );
}

function linkTo(traceparent: string): Link[] {
  const context = parsed(traceparent);
  return context === null ? [] : [{ context }];
}

const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function parsed(traceparent: string): SpanContext | null {
  const match = TRACEPARENT.exec(traceparent);
  if (match === null) return null;
  const [, traceId = "", spanId = "", flags = ""] = match;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const context = { traceId, spanId, traceFlags, isRemote: true };
  return trace.isSpanContextValid(context) ? context : null;
}

function textsOf(context: SpanContext): Span["context"] {
  const { traceId, spanId, traceFlags, traceState } = context;
  const flags = traceFlags & TraceFlags.SAMPLED ? "01" : "00";
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    tracestate: traceState?.serialize() || null,
  };
}
