/** W3C Trace Context (https://www.w3.org/TR/trace-context/): which trace an event belongs to, and what tracing systems noted with it. */
import type { WebhookEvent } from "./records.ts";

type TraceContext = Pick<WebhookEvent, "traceparent" | "tracestate">;

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** The specification asks for 512 characters at least. A longer list would only cost every record of the event. */
const TRACESTATE = /^[\u0020-\u007e]{1,512}$/;

const NONE: TraceContext = { traceparent: null, tracestate: null };

/** Whether a text is a W3C traceparent of version 00, or of another version with the same form. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

/** Whether a text may be passed on as a W3C tracestate: printable ASCII, at most 512 characters. Its entries are not judged. */
export function isTracestate(text: string): boolean {
  return TRACESTATE.test(text);
}

/** The trace context of two headers. Headers that break a rule count as absent, as W3C requires: a proxy may have added them. A tracestate counts only beside its traceparent. */
export function readTraceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext {
  if (traceparent === undefined || !isTraceparent(traceparent)) return NONE;
  const isKept = tracestate !== undefined && isTracestate(tracestate);
  return { traceparent, tracestate: isKept ? tracestate : null };
}
