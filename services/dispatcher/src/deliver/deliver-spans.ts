/** Deliver's spans. They exist only with tracing; without, the stage holds no `DeliverSpans`. */
import type { Delivery } from "@postrider/core";
import { processAttributes, type InRecord } from "@postrider/messaging";
import type { Span, SpanAttributes, Tracer } from "@postrider/runtime";
import type { Admission, DeferralReason } from "./admit.ts";
import { AttemptSpan } from "./attempt-span.ts";
import { lastAttemptOf } from "./last-attempt-header.ts";

export class DeliverSpans {
  readonly #tracer: Tracer;
  readonly #groupId: string;

  constructor(tracer: Tracer, groupId: string) {
    this.#tracer = tracer;
    this.#groupId = groupId;
  }

  attempt(record: InRecord<Delivery>): AttemptSpan {
    const { attemptNumber } = record.value;
    const span = this.#begin(record, {
      "postrider.attempt.number": attemptNumber,
    });
    return new AttemptSpan(this.#tracer, span, record.value);
  }

  /** As in the attempts' rows, a wait that goes on for the same reason is noted once. */
  deferred(record: InRecord<Delivery>, reason: DeferralReason): void {
    if (record.value.deferralReason !== reason)
      this.#begin(record, {
        "postrider.disposition": "defer",
        "postrider.deferral.reason": reason,
      }).end();
  }

  givenUp(
    record: InRecord<Delivery>,
    { reason, detail }: Extract<Admission, { kind: "dead_letter" }>,
  ): void {
    const span = this.#begin(record, {
      "postrider.disposition": "dead_letter",
      "postrider.dead_letter.reason": reason,
    });
    span.fail(reason, detail);
    span.end();
  }

  #begin({ raw, value }: InRecord<Delivery>, more: SpanAttributes): Span {
    const lastAttempt = lastAttemptOf(raw.headers);
    return this.#tracer.start(`process ${raw.topic}`, {
      kind: "consumer",
      parent: value,
      links: lastAttempt === null ? [] : [lastAttempt],
      attributes: {
        ...processAttributes(raw, this.#groupId),
        "postrider.tenant.id": value.tenantId,
        "postrider.event.id": value.eventId,
        "postrider.event.type": value.eventType,
        "postrider.endpoint.id": value.endpointId,
        "postrider.delivery.id": value.deliveryId,
        "postrider.trigger": value.trigger,
        ...more,
      },
    });
  }
}
