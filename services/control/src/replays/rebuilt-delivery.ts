import {
  REDACTED,
  UNTRIED,
  webhookIdOf,
  type Delivery,
  type EpochMs,
  type ReplayPlace,
} from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import { isInlineEndpoint } from "./candidate.ts";
import type { LeftOutReason } from "./replay.ts";

/** An event as the table `events` has it. */
export interface RecordedEvent {
  readonly eventType: string;
  readonly occurredAt: EpochMs | null;
  readonly contentType: string;
  /** The values of secret headers are redacted. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where payloads are not recorded. */
  readonly payload: Buffer;
  readonly payloadBytes: number;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
}

/**
 * The delivery of an event to a registered endpoint, made again of what was recorded of the event; or why it cannot be made. It has no
 * trace, and no `notBefore` and `expiresAt`, because those are not recorded.
 */
export function rebuiltDelivery(
  { tenantId, eventId, endpointId, receivedAt }: ReplayPlace,
  event: RecordedEvent | undefined,
): Delivery | LeftOutReason {
  // The URL and the secret of an inline destination are in its deliveries only.
  if (event === undefined || isInlineEndpoint(endpointId))
    return "payload_gone";
  const { payloadBytes, ...recorded } = event;
  if (recorded.payload.byteLength !== payloadBytes) return "payload_gone";
  if (Object.values(recorded.headers).includes(REDACTED))
    return "headers_redacted";
  return {
    ...UNTRIED,
    ...recorded,
    deliveryId: "",
    webhookId: webhookIdOf(sha256Text, { tenantId, eventId, endpointId }),
    tenantId,
    eventId,
    endpointId,
    endpointVersion: 0,
    trigger: "first",
    replayId: null,
    receivedAt,
    traceparent: null,
    tracestate: null,
    inline: null,
    notBefore: null,
    expiresAt: null,
  };
}
