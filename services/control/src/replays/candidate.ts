/** Judges what a selection holds: an event and an endpoint, with all its deliveries as the table `deliveries` has them. Pure. */
import type { Endpoint, ReplayPlace } from "@postrider/core";
import type { LeftOutReason } from "./replay.ts";
import { redrivenId } from "./redriven-delivery.ts";

/** An event and an endpoint of which at least one delivery is selected. */
export interface Candidate extends ReplayPlace {
  readonly deliveries: readonly PastDelivery[];
}

export interface PastDelivery {
  readonly id: string;
  readonly status: string;
  readonly deadLetterReason: string;
}

export type Verdict =
  /** `deliveryIds`: its past deliveries that ended. One of them is sent again. */
  | { readonly kind: "send"; readonly deliveryIds: readonly string[] }
  /** This replay has sent it already, before it was cut off. */
  | { readonly kind: "sent" }
  | { readonly kind: "leave"; readonly reason: LeftOutReason };

/**
 * An event goes to an endpoint only if no other delivery of it may still reach, or has reached, the endpoint. So what one replay has
 * sent no other one sends, whatever became of the replay. `statuses` has `delivered` where it is to be sent although it was delivered.
 */
export function judged(
  candidate: Candidate,
  of: { readonly id: string; readonly statuses: readonly string[] },
): Verdict {
  const own = redrivenId(candidate, of.id);
  const { deliveries } = candidate;
  if (deliveries.some(({ id }) => id === own)) return { kind: "sent" };
  const open = deliveries.find(
    ({ status }) => status !== "expired" && status !== "delivered",
  );
  if (open !== undefined)
    return {
      kind: "leave",
      reason: open.deadLetterReason === "paused" ? "parked" : "under_way",
    };
  const isDelivered = deliveries.some(({ status }) => status === "delivered");
  if (isDelivered && !of.statuses.includes("delivered"))
    return { kind: "leave", reason: "delivered" };
  return { kind: "send", deliveryIds: deliveries.map(({ id }) => id) };
}

/** Why nothing can be sent to this endpoint now; null where it can. A paused one's deliveries are parked, and its resume sends them. */
export function lackOf(endpoint: Endpoint | undefined): LeftOutReason | null {
  if (endpoint === undefined) return "endpoint_deleted";
  return endpoint.state === "disabled" ? "endpoint_disabled" : null;
}

/** An inline destination has no endpoint: it rides in the delivery. */
export function isInlineEndpoint(endpointId: string): boolean {
  return endpointId.startsWith("inline_");
}
