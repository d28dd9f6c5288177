import {
  type Delivery,
  deliveryIdOf,
  type InlineDestination,
  webhookIdOf,
} from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import { sha256Text } from "@postrider/runtime";
import type { ValidEvent } from "../valid-event.ts";
import { headerTrace } from "./published-trace.ts";

/** Who gets a delivery. */
export interface DeliveryTarget {
  readonly endpointId: string;
  /** 0 for an inline destination. */
  readonly endpointVersion: number;
  readonly inline: InlineDestination | null;
}

/** The first delivery of an event to an endpoint. The same event and endpoint always make the same ids. */
export function firstDelivery(
  event: ValidEvent,
  raw: RawRecord,
  target: DeliveryTarget,
): Delivery {
  const key = {
    tenantId: event.tenantId,
    eventId: event.id,
    endpointId: target.endpointId,
    replayId: null,
  };
  const { traceparent, tracestate } =
    event.traceparent === null ? headerTrace(raw) : event;
  return {
    deliveryId: deliveryIdOf(sha256Text, key),
    webhookId: webhookIdOf(sha256Text, key),
    tenantId: event.tenantId,
    eventId: event.id,
    eventType: event.type,
    endpointId: target.endpointId,
    endpointVersion: target.endpointVersion,
    attemptNumber: 1,
    step: 0,
    trigger: "first",
    replayId: null,
    occurredAt: event.occurredAt,
    receivedAt: raw.timestamp,
    contentType: event.contentType,
    payload: event.payload,
    headers: event.headers,
    traceparent,
    tracestate,
    inline: target.inline,
    notBefore: event.notBefore,
    expiresAt: event.expiresAt,
    nextAttemptAt: null,
    slotAt: null,
    deferralReason: null,
    deferredMs: 0,
    endpointUnknownSince: null,
    lastAttempt: null,
    sourceTopic: raw.topic,
    sourcePartition: raw.partition,
    sourceOffset: raw.offset,
  };
}
