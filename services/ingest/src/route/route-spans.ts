/** Route's spans: one for each record of `events`. The deliveries that follow from the record are its children. */
import type { Decision } from "@postrider/core";
import { processAttributes, type InRecord } from "@postrider/messaging";
import type { TraceContext, Tracer } from "@postrider/runtime";
import type { KnownEvent } from "./intake-records.ts";
import { publishedTrace } from "./published-trace.ts";
import type { RouteInput } from "./read-event.ts";

export interface RouteSpan {
  /** For the deliveries. */
  readonly context: TraceContext;
  /** Ends the span. `deliveries`: how many follow; `rule`: the first that an invalid event breaks. */
  decided(
    decision: Decision,
    more?: { readonly deliveries?: number; readonly rule?: string | undefined },
  ): void;
}

export class RouteSpans {
  readonly #tracer: Tracer;
  readonly #groupId: string;

  constructor(tracer: Tracer, groupId: string) {
    this.#tracer = tracer;
    this.#groupId = groupId;
  }

  /** Without a trace of the publisher's, a new one begins here. */
  begin(record: InRecord<RouteInput>, known: KnownEvent): RouteSpan {
    const span = this.#tracer.start(`process ${record.raw.topic}`, {
      kind: "consumer",
      parent: publishedTrace(record),
      attributes: {
        ...processAttributes(record.raw, this.#groupId),
        "postrider.tenant.id": known.tenantId,
        "postrider.event.id": known.eventId,
        "postrider.event.type": known.eventType,
      },
    });
    return {
      context: span.context,
      decided(decision, { deliveries = 0, rule } = {}) {
        span.set({
          "postrider.decision": decision,
          "postrider.deliveries": deliveries,
        });
        if (decision === "invalid" || decision === "refused")
          span.fail(rule ?? decision);
        span.end();
      },
    };
  }
}
