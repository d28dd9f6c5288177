/** The door's spans: one for each request, and one for each event that it sends to Kafka. */
import { ProblemError } from "@postrider/http";
import { sendAttributes } from "@postrider/messaging";
import type { Span, Tracer } from "@postrider/runtime";
import type { ValidEvent } from "../valid-event.ts";
import type { SendResult } from "./patient-sender.ts";
import type { EventsRequest } from "./read-request.ts";

/** Events that are being sent, each with the trace context of its own span. */
export interface SentEvents {
  readonly events: readonly ValidEvent[];
  ended(result: SendResult): void;
  /** Nothing was sent. */
  failed(error: unknown): void;
}

export class DoorSpans {
  readonly #tracer: Tracer;
  readonly #topic: string;

  /** `topic` is the full name of `events`. */
  constructor(tracer: Tracer, topic: string) {
    this.#tracer = tracer;
    this.#topic = topic;
  }

  /** Runs `accept` in the span of a request. Events without a traceparent of their own become the span's children. */
  async request<T>(
    request: EventsRequest,
    accept: (request: EventsRequest) => Promise<T>,
  ): Promise<T> {
    const span = this.#tracer.start("POST /v1/events", {
      kind: "server",
      parent: {
        traceparent: request.traceparent ?? null,
        tracestate: request.tracestate ?? null,
      },
      attributes: {
        "http.request.method": "POST",
        "http.route": "/v1/events",
        "url.path": "/v1/events",
        "url.scheme": "http",
        "http.request.body.size": request.body.length,
      },
    });
    const { traceparent, tracestate } = span.context;
    try {
      const accepted = await accept({
        ...request,
        traceparent,
        tracestate: tracestate ?? undefined,
      });
      span.set({ "http.response.status_code": 202 });
      return accepted;
    } catch (error) {
      const status = error instanceof ProblemError ? error.status : 500;
      span.set({ "http.response.status_code": status });
      // By the conventions, a refused request is no error of the server.
      if (status >= 500) span.fail(String(status));
      throw error;
    } finally {
      span.end();
    }
  }

  /** Begins a span for each event. Its context takes the place of the event's: what follows from the event is the child of its span. */
  sending(
    events: readonly ValidEvent[],
    { traceparent }: EventsRequest,
  ): SentEvents {
    const begun = events.map((event) => {
      const span = this.#send(event, traceparent);
      return { event: { ...event, ...span.context }, span };
    });
    const end = (type: string | null, message?: string): void => {
      for (const { span } of begun) {
        if (type !== null) span.fail(type, message);
        span.end();
      }
    };
    return {
      events: begun.map(({ event }) => event),
      ended: (result) => end(result === "acknowledged" ? null : result),
      failed: (error) =>
        error instanceof ProblemError
          ? end(error.code, error.message)
          : end("fault", String(error)),
    };
  }

  #send(event: ValidEvent, requestSpan: string | undefined): Span {
    // An event with a trace of its own stays in it; the link shows the request that brought it.
    const isOfRequest = event.traceparent === requestSpan;
    return this.#tracer.start(`send ${this.#topic}`, {
      kind: "producer",
      parent: event,
      links: isOfRequest || requestSpan === undefined ? [] : [requestSpan],
      attributes: {
        ...sendAttributes(this.#topic),
        "postrider.tenant.id": event.tenantId,
        "postrider.event.id": event.id,
        "postrider.event.type": event.type,
      },
    });
  }
}
