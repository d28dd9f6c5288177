/** The spans of one attempt: that of the delivery's record, and in it that of the request. */
import type { Delivery, Outcome, UrlParts } from "@postrider/core";
import type { Span, Tracer } from "@postrider/runtime";
import type { Conclusion } from "./conclude.ts";
import type { AttemptResult } from "../send/attempt-result.ts";

export class AttemptSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #delivery: Delivery;
  #request: Span | null = null;

  constructor(tracer: Tracer, span: Span, delivery: Delivery) {
    this.#tracer = tracer;
    this.#span = span;
    this.#delivery = delivery;
  }

  /** The span's traceparent, for the next attempt's link; null if the sampler does not keep the span. */
  get traceparent(): string | null {
    return this.#span.isSampled ? this.#span.context.traceparent : null;
  }

  /** Begins the span of the request. Returns the delivery as the request's headers are made from it: in the trace context of that span. The path may hold a secret of the receiver's, so no attribute has it. */
  request(method: string, url: UrlParts): Delivery {
    const delivery = this.#delivery;
    this.#request = this.#tracer.start(method, {
      kind: "client",
      parent: this.#span.context,
      attributes: {
        "http.request.method": method,
        "server.address": url.address ?? url.hostname,
        "server.port": url.port,
        "url.scheme": url.protocol.slice(0, -1),
        "http.request.body.size": delivery.payload.byteLength,
        "http.request.resend_count":
          delivery.attemptNumber > 1 ? delivery.attemptNumber - 1 : null,
        "postrider.delivery.id": delivery.deliveryId,
      },
    });
    return { ...delivery, ...this.#request.context };
  }

  /** Ends both spans. An attempt that this process could not make is not concluded: its spans are never seen. */
  concluded(result: AttemptResult, { disposition }: Conclusion): void {
    const { outcome, statusCode } = result;
    if (this.#request !== null) endRequest(this.#request, result);
    this.#span.set({
      "postrider.outcome": outcome,
      "postrider.disposition": disposition.kind,
      "http.response.status_code": statusCode,
    });
    if (disposition.kind === "retry")
      this.#span.set({
        "postrider.tier": disposition.tier?.name ?? null,
        "postrider.next_attempt_at": new Date(
          disposition.nextAttemptAt,
        ).toISOString(),
      });
    if (disposition.kind === "dead_letter")
      this.#span.set({ "postrider.dead_letter.reason": disposition.reason });
    if (outcome !== "delivered")
      this.#span.fail(outcome, result.error ?? undefined);
    this.#span.end();
  }
}

function endRequest(span: Span, result: AttemptResult): void {
  const { outcome, statusCode, error } = result;
  span.set({
    "http.response.status_code": statusCode,
    "http.response.body.size":
      statusCode === null ? null : result.responseBytes,
  });
  if (outcome !== "delivered")
    span.fail(errorTypeOf(outcome, statusCode), error ?? undefined);
  span.end();
}

/** By the conventions, a status names itself; without one, our outcome names what happened. */
function errorTypeOf(outcome: Outcome, statusCode: number | null): string {
  return statusCode === null ? outcome : String(statusCode);
}
