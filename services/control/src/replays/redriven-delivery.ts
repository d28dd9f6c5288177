import {
  deliveryIdOf,
  UNTRIED,
  type Delivery,
  type EpochMs,
} from "@postrider/core";
import { sha256Text } from "@postrider/runtime";

/** What a redrive is made for. */
export interface Redrive {
  readonly trigger: "redrive" | "replay";
  readonly replayId: string;
  /** The endpoint's version now; 0 for an inline destination. */
  readonly endpointVersion: number;
  readonly now: EpochMs;
}

/**
 * A past delivery as a redrive sends it: a delivery of its own, with a retry schedule from its beginning. The `webhook-id` stays, so the
 * receiver recognises the event. Whoever makes it again gets the same id and step, so deliver drops the repeat. Its age so far counts as
 * deferred: the maximum age begins anew. The publisher's `notBefore` and `expiresAt` stay.
 */
export function redrivenDelivery(past: Delivery, of: Redrive): Delivery {
  const from = Math.max(past.receivedAt, past.notBefore ?? 0);
  return {
    ...past,
    ...UNTRIED,
    deliveryId: redrivenId(past, of.replayId),
    endpointVersion: of.endpointVersion,
    trigger: of.trigger,
    replayId: of.replayId,
    deferredMs: Math.max(0, of.now - from),
  };
}

/** The id of the delivery that the replay makes of this event and endpoint. */
export function redrivenId(
  {
    tenantId,
    eventId,
    endpointId,
  }: Pick<Delivery, "tenantId" | "eventId" | "endpointId">,
  replayId: string,
): string {
  return deliveryIdOf(sha256Text, { tenantId, eventId, endpointId, replayId });
}
