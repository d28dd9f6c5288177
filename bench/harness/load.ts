/** What is sent: endpoints at the sink, and deliveries and events of 1 KB for them. */
import { randomBytes } from "node:crypto";
import {
  deliveryIdOf,
  secretAad,
  webhookIdOf,
  type Delivery,
  type Endpoint,
  type WebhookEvent,
} from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import { createKeyRing, parseEncryptionKeys, sha256 } from "@postrider/runtime";
import { aDelivery, anEndpoint, anEvent } from "@postrider/testkit";
import type { Topics } from "./stack.ts";

export const BODY_BYTES = 1024;
/** Each has 16 requests at once: 128 connections in all, and as many for the baseline. */
export const ENDPOINTS = 8;
export const CONNECTIONS = ENDPOINTS * 16;

/** The same text as the baseline sends. */
export const BODY = Buffer.from(`{"text":"${"x".repeat(BODY_BYTES - 11)}"}`);

export const SECRET = `whsec_${randomBytes(24).toString("base64")}`;
export const ENCRYPTION_KEYS = `k1:${randomBytes(32).toString("base64")}`;
const keyRing = createKeyRing(parseEncryptionKeys(ENCRYPTION_KEYS));

/** One endpoint for each of as many tenants, so that an event has one delivery. */
export function endpointsAt(url: string): Endpoint[] {
  return Array.from({ length: ENDPOINTS }, (_, i) => {
    const id = `ep_bench${String(i).padStart(19, "0")}`;
    const tenantId = `tenant${i}`;
    const secretId = "sec_1";
    const aad = secretAad(tenantId, id, secretId);
    const sealed = keyRing.seal(Buffer.from(SECRET), aad);
    const createdAt = Date.now();
    return anEndpoint({
      id,
      tenantId,
      url,
      secrets: [{ id: secretId, ...sealed, createdAt, expiresAt: null }],
    });
  });
}

/** The `i`-th event of a run, for one endpoint in turn. */
export function eventOf(
  run: string,
  i: number,
  endpoints: readonly Endpoint[],
): WebhookEvent & { readonly tenantId: string } {
  const { tenantId } = endpoints[i % endpoints.length]!;
  return {
    ...anEvent({
      id: `evt_${run}_${i}`,
      payload: BODY,
      occurredAt: Date.now(),
    }),
    tenantId,
  };
}

export function webhookIdFor(
  event: { readonly id: string; readonly tenantId: string },
  endpoint: Endpoint,
): string {
  const key = { tenantId: event.tenantId, eventId: event.id };
  return webhookIdOf(sha256, { ...key, endpointId: endpoint.id });
}

/** What route would have made of that event. */
export function deliveryOf(
  run: string,
  i: number,
  endpoints: readonly Endpoint[],
): Delivery {
  const endpoint = endpoints[i % endpoints.length]!;
  const event = eventOf(run, i, endpoints);
  const key = {
    tenantId: event.tenantId,
    eventId: event.id,
    endpointId: endpoint.id,
  };
  return aDelivery({
    ...key,
    deliveryId: deliveryIdOf(sha256, { ...key, replayId: null }),
    webhookId: webhookIdFor(event, endpoint),
    payload: BODY,
    receivedAt: Date.now(),
  });
}

export async function writeEndpoints(
  { output }: Topics,
  endpoints: readonly Endpoint[],
): Promise<void> {
  await output.send(
    endpoints.map((value) => ({ topic: "endpoints", key: value.id, value })),
  );
}

const CHUNK = 2_000;

/** Writes `count` records and resolves when all are acknowledged. */
export async function preload(
  { output }: Topics,
  count: number,
  recordOf: (i: number) => OutRecord,
): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) {
    const length = Math.min(CHUNK, count - from);
    await output.send(Array.from({ length }, (_, i) => recordOf(from + i)));
  }
}
