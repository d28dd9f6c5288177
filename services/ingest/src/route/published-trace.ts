import { isTraceparent, readTraceContext } from "@postrider/core";
import type { InRecord, RawRecord } from "@postrider/messaging";
import type { TraceContext } from "@postrider/runtime";
import { headerText } from "./header-text.ts";
import type { RouteInput } from "./read-event.ts";

/** The trace context that the publisher gave: the event's own, or else that of the record's headers. */
export function publishedTrace({
  raw,
  value,
}: InRecord<RouteInput>): TraceContext {
  const event = value.kind === "event" ? value.event : null;
  const own = event?.traceparent ?? null;
  return event !== null && own !== null && isTraceparent(own)
    ? event
    : headerTrace(raw);
}

const NO_TRACE: TraceContext = { traceparent: null, tracestate: null };

/** The trace context in the record's headers: Kafka clients with tracing put it there. */
export function headerTrace(raw: RawRecord): TraceContext {
  if (raw.headers["traceparent"] === undefined) return NO_TRACE;
  return readTraceContext(
    headerText(raw, "traceparent"),
    headerText(raw, "tracestate"),
  );
}
