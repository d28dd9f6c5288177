/** The load: endpoints at the sink, and deliveries and events of 1 KB for them. */
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
import {
  createKeyRing,
  parseEncryptionKeys,
  sha256Text,
} from "@postrider/runtime";
import { aDelivery, anEndpoint, anEvent } from "@postrider/testkit";
import type { Topics } from "./stack.ts";

export const BODY_BYTES = 1024;
/** The number of endpoints. Each has 16 requests at once: 128 connections in all, and as many for the baseline. */
export const ENDPOINTS = 8;
export const CONNECTIONS = ENDPOINTS * 16;

/** A body of so many bytes; the baselines send the same text. */
export function bodyOf(bytes: number): Buffer {
  return Buffer.from(`{"text":"${"x".repeat(bytes - 11)}"}`);
}

export const BODY = bodyOf(BODY_BYTES);

export const SECRET = `whsec_${randomBytes(24).toString("base64")}`;
export const ENCRYPTION_KEYS = `k1:${randomBytes(32).toString("base64")}`;
const keyRing = createKeyRing(parseEncryptionKeys(ENCRYPTION_KEYS));

/** One endpoint for each of several tenants, so that an event has exactly one delivery. */
export function endpointsAt(
  url: string,
  changes: Partial<Endpoint> = {},
): Endpoint[] {
  return Array.from({ length: ENDPOINTS }, (_, i) =>
    endpointAt(i, url, changes),
  );
}

/** The `i`-th endpoint, of a tenant of its own. */
export function endpointAt(
  i: number,
  url: string,
  changes: Partial<Endpoint> = {},
): Endpoint {
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
    ...changes,
  });
}

/** An event, with the ids that are derived from it. */
export interface LoadEvent {
  readonly event: WebhookEvent & { readonly tenantId: string };
  readonly endpointId: string;
  readonly webhookId: string;
}

/** The `i`-th event of a run; the endpoints take turns. Its id begins with `evt_RUN_`. */
export function eventOf(
  run: string,
  i: number,
  endpoints: readonly Endpoint[],
  payload: Buffer = BODY,
): LoadEvent {
  const { tenantId, id: endpointId } = endpoints[i % endpoints.length]!;
  const id = `evt_${run}_${i}`;
  const event = anEvent({ id, payload, occurredAt: Date.now() });
  const key = { tenantId, eventId: id, endpointId };
  return {
    event: { ...event, tenantId },
    endpointId,
    webhookId: webhookIdOf(sha256Text, key),
  };
}

/** The event's record, as the door would write it. */
export function eventRecord({ event }: LoadEvent): OutRecord {
  const key = `${event.tenantId}:${event.id}`;
  return { topic: "events", key, value: event };
}

/** The delivery that route would make of the event. */
export function deliveryOf(
  { event, endpointId, webhookId }: LoadEvent,
  changes: Partial<Delivery> = {},
): Delivery {
  const key = { tenantId: event.tenantId, eventId: event.id, endpointId };
  return aDelivery({
    ...key,
    deliveryId: deliveryIdOf(sha256Text, { ...key, replayId: null }),
    webhookId,
    payload: event.payload,
    receivedAt: Date.now(),
    ...changes,
  });
}

export async function writeEndpoints(
  topics: Topics,
  endpoints: readonly Endpoint[],
): Promise<void> {
  await preload(topics, endpoints.length, (i) => {
    const value = endpoints[i]!;
    return { topic: "endpoints", key: value.id, value };
  });
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
