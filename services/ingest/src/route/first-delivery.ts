import {
  type Delivery,
  deliveryIdOf,
  type InlineDestination,
  UNTRIED,
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
    ...UNTRIED,
    deliveryId: deliveryIdOf(sha256Text, key),
    webhookId: webhookIdOf(sha256Text, key),
    tenantId: event.tenantId,
    eventId: event.id,
    eventType: event.type,
    endpointId: target.endpointId,
    endpointVersion: target.endpointVersion,
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
    sourceTopic: raw.topic,
    sourcePartition: raw.partition,
    sourceOffset: raw.offset,
  };
}
