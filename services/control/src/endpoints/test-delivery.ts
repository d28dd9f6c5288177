import {
  deliveryIdOf,
  UNTRIED,
  webhookIdOf,
  type Delivery,
  type Endpoint,
  type EpochMs,
} from "@postrider/core";
import { sha256Text } from "@postrider/runtime";

/** The type of the events that tests send. */
export const TEST_EVENT_TYPE = "postrider.test";
/** How long an open breaker or a rate limit may hold a test up: who asked for it waits. It also keeps later replays from sending it again. */
export const TEST_LASTS_MS = 300_000;

/** A delivery of a test event to this endpoint alone, whatever types it wants. The dispatcher attempts it once (its trigger says so), on the way that every delivery goes. */
export function testDelivery(
  endpoint: Pick<Endpoint, "id" | "tenantId" | "version">,
  of: { readonly eventId: string; readonly now: EpochMs },
): Delivery {
  const { id: endpointId, tenantId, version } = endpoint;
  const { eventId, now } = of;
  const key = { tenantId, eventId, endpointId, replayId: null };
  const payload = {
    type: TEST_EVENT_TYPE,
    eventId,
    endpointId,
    sentAt: new Date(now).toISOString(),
  };
  return {
    ...UNTRIED,
    deliveryId: deliveryIdOf(sha256Text, key),
    webhookId: webhookIdOf(sha256Text, key),
    tenantId,
    eventId,
    eventType: TEST_EVENT_TYPE,
    endpointId,
    endpointVersion: version,
    trigger: "test",
    replayId: null,
    occurredAt: now,
    receivedAt: now,
    contentType: "application/json",
    payload: Buffer.from(JSON.stringify(payload)),
    headers: {},
    traceparent: null,
    tracestate: null,
    inline: null,
    notBefore: null,
    expiresAt: now + TEST_LASTS_MS,
    // No record of the topic `events` is behind it.
    sourceTopic: "",
    sourcePartition: 0,
    sourceOffset: 0,
  };
}
