/** The headers of one request, as the flat list of names and values that undici takes. */
import type { Delivery } from "@postrider/core";

/** Headers that Postrider or HTTP itself sets. Validation refuses them in input; one that gets this far anyway is left out. */
const RESERVED =
  /^(webhook-.*|proxy-.*|host|content-length|content-type|content-encoding|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|user-agent|traceparent)$/i;

/** The header of the profile `hmac-hex`. Without that profile its name is free for others to set. */
const HEX_SIGNATURE = "x-webhook-signature";

export interface Signed {
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Of the profile `standard`; null without it. */
  readonly signature: string | null;
  /** Of the profile `hmac-hex`; null without it. */
  readonly hexSignature: string | null;
}

/**
 * Postrider's headers first, then the event's, then the endpoint's. If event and endpoint set the same header, the
 * endpoint's wins. Nobody sets a header that Postrider does.
 */
export function requestHeaders(
  delivery: Pick<
    Delivery,
    "webhookId" | "contentType" | "traceparent" | "tracestate" | "headers"
  >,
  endpointHeaders: Readonly<Record<string, string>>,
  signed: Signed,
  userAgent: string,
): string[] {
  const headers = [
    "webhook-id",
    delivery.webhookId,
    "webhook-timestamp",
    String(signed.timestamp),
  ];
  if (signed.signature !== null)
    headers.push("webhook-signature", signed.signature);
  if (signed.hexSignature !== null)
    headers.push(HEX_SIGNATURE, signed.hexSignature);
  headers.push("user-agent", userAgent, "content-type", delivery.contentType);
  const { traceparent } = delivery;
  const tracestate = traceparent === null ? null : delivery.tracestate;
  if (traceparent !== null) headers.push("traceparent", traceparent);
  if (tracestate !== null) headers.push("tracestate", tracestate);
  const isHexSigned = signed.hexSignature !== null;
  const ours = OURS[tracestate === null ? 0 : 1][isHexSigned ? 1 : 0];
  addHeaders(headers, delivery.headers, endpointHeaders, ours);
  addHeaders(headers, endpointHeaders, NO_HEADERS, ours);
  return headers;
}

/** The names that are ours in this request, but free for others in one without a tracestate, or without a hex signature. */
const OURS = [
  [[], [HEX_SIGNATURE]],
  [["tracestate"], ["tracestate", HEX_SIGNATURE]],
] as const;

const NO_HEADERS: Readonly<Record<string, string>> = {};

function addHeaders(
  to: string[],
  from: Readonly<Record<string, string>>,
  overriding: Readonly<Record<string, string>>,
  ours: readonly string[],
): void {
  for (const name in from) {
    const value = from[name];
    if (value === undefined || RESERVED.test(name)) continue;
    if (ours.length > 0 && ours.includes(name.toLowerCase())) continue;
    if (!hasName(overriding, name)) to.push(name, value);
  }
}

function hasName(
  headers: Readonly<Record<string, string>>,
  name: string,
): boolean {
  const lower = name.toLowerCase();
  for (const each in headers) if (each.toLowerCase() === lower) return true;
  return false;
}
