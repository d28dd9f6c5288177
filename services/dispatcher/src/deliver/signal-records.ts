/** Builds the signals that deliver emits: changes in an endpoint's health. */
import type { Delivery, EpochMs, Signal } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import type { BreakerChange } from "../breaker/breaker.ts";
import type { AttemptResult } from "../send/attempt-result.ts";

/** The endpoint on which the change was seen. */
export interface SeenOn {
  /** The delivery whose attempt showed the change. */
  readonly delivery: Delivery;
  /** 0 for inline. */
  readonly endpointVersion: number;
  readonly at: EpochMs;
}

/** The endpoint answered 410. Control then disables the version that was called. */
export function goneSignal(on: SeenOn): OutRecord {
  return signal("gone", "the endpoint answered 410 Gone", on);
}

/** The endpoint's breaker opened or closed. Nobody acts on these signals; they are for people. A breaker that opens again after its probes failed was not closed, and makes no signal. */
export function breakerSignals(
  change: BreakerChange,
  result: AttemptResult,
  on: SeenOn,
): OutRecord[] {
  switch (change.kind) {
    case "opened": {
      const seconds = Math.ceil(change.openMs / 1_000);
      const detail = `${change.why}, the last with ${shownBy(result)}; open for ${seconds} s`;
      return [signal("breaker_opened", detail, on)];
    }
    case "closed":
      return [signal("breaker_closed", "every probe was answered", on)];
    case "reopened":
      return [];
  }
}

function shownBy({ outcome, statusCode }: AttemptResult): string {
  return statusCode === null ? outcome : `${outcome} ${statusCode}`;
}

function signal(
  kind: "gone" | "breaker_opened" | "breaker_closed",
  detail: string,
  { delivery, endpointVersion, at }: SeenOn,
): OutRecord {
  const { endpointId, tenantId, deliveryId } = delivery;
  const value: Signal = {
    kind,
    endpointId,
    tenantId,
    endpointVersion,
    at,
    detail,
    deliveryId,
  };
  return { topic: "signals", key: endpointId, value };
}
