/** How long events for healthy endpoints waited for their request. */
import type { Evidence } from "@postrider/testkit";
import { BEHAVIOURS, endpointIdOf } from "./endpoints.ts";

const HEALTHY = new Set(
  BEHAVIOURS.filter((one) => one.startsWith("healthy")).map(endpointIdOf),
);

export interface Wait {
  /** When the broker had acknowledged the event, epoch ms. */
  readonly publishedAt: number;
  /** From then until the receiver had read the first request, ms. */
  readonly ms: number;
}

export function healthyWaits(evidence: Evidence): Wait[] {
  const publishedAt = new Map(
    evidence.published.map(({ eventId, at }) => [eventId, at]),
  );
  const receivedAt = new Map<string, number>();
  for (const { webhookId, at } of evidence.received)
    if (!receivedAt.has(webhookId)) receivedAt.set(webhookId, at);
  const waits = new Map<string, Wait>();
  for (const { endpointId, eventId, webhookId } of evidence.attempts) {
    const from = publishedAt.get(eventId);
    const until = receivedAt.get(webhookId);
    if (from === undefined || until === undefined) continue;
    if (HEALTHY.has(endpointId))
      waits.set(webhookId, { publishedAt: from, ms: until - from });
  }
  return [...waits.values()];
}
