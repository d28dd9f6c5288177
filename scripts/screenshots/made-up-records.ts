/** The records of a made-up delivery beside its attempts. */
import {
  deliveryIdOf,
  webhookIdOf,
  type Delivery,
  type Endpoint,
  type EpochMs,
  type WebhookEvent,
} from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import { sha256Text } from "@postrider/runtime";
import { aDeadLetter, aDelivery, anIntake } from "@postrider/testkit";

export interface Published {
  readonly endpoint: Endpoint;
  readonly event: Pick<WebhookEvent, "id" | "type" | "payload">;
  readonly receivedAt: EpochMs;
  /** The offset of its record. */
  readonly offset: number;
}

export function deliveryOf(published: Published): Delivery {
  const { endpoint, event, receivedAt, offset } = published;
  const { id: endpointId, tenantId } = endpoint;
  const key = { tenantId, eventId: event.id, endpointId };
  return aDelivery({
    ...key,
    deliveryId: deliveryIdOf(sha256Text, { ...key, replayId: null }),
    webhookId: webhookIdOf(sha256Text, key),
    eventType: event.type,
    payload: event.payload,
    receivedAt,
    sourceOffset: offset,
  });
}

export function intakeOf(
  { event, receivedAt, offset }: Published,
  { tenantId, deliveryId, endpointId }: Delivery,
): OutRecord {
  const value = anIntake({
    tenantId,
    eventId: event.id,
    eventType: event.type,
    occurredAt: receivedAt - 20,
    receivedAt,
    decidedAt: receivedAt + 6,
    payload: event.payload,
    payloadBytes: event.payload.length,
    deliveries: [{ deliveryId, endpointId }],
    sourceOffset: offset,
  });
  return { topic: "intake", key: `${tenantId}:${event.id}`, value };
}

export function deadLetterOf(
  delivery: Delivery,
  why: {
    readonly reason: string;
    readonly detail: string;
    readonly deadAt: EpochMs;
  },
): OutRecord {
  const { step, lastAttempt } = delivery;
  const value = aDeadLetter({
    ...why,
    ...shared(delivery),
    step,
    delivery,
    attempts: lastAttempt?.attemptNumber ?? 0,
    lastOutcome: lastAttempt?.outcome ?? null,
    lastStatusCode: lastAttempt?.statusCode ?? null,
  });
  return { topic: "dead-letters", key: delivery.endpointId, value };
}

/** What an attempt and a dead letter say of their delivery in the same words. */
export function shared(delivery: Delivery) {
  const { deliveryId, tenantId, eventId, eventType, endpointId } = delivery;
  const { receivedAt, sourceOffset } = delivery;
  return {
    deliveryId,
    tenantId,
    eventId,
    eventType,
    endpointId,
    receivedAt,
    sourceOffset,
  };
}
